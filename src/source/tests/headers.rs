//! Headers against declarations and contracts.

use std::io;

use super::*;

#[test]
fn columns_match_by_name_and_not_by_position() {
    let spec = spec(&[("id", Type::Int64), ("Name", Type::String)]);
    let all = read("NAME,\"id\"\nx,1\n", &spec).unwrap();
    assert_eq!(all.rows, [row(&["1", "x"])]);
    let all = read(" id , Name \n1,x\n", &spec).unwrap();
    assert_eq!(all.rows, [row(&["1", "x"])]);
}

#[test]
fn headers_that_are_none() {
    let spec = texts(&["a", "b"]);
    assert!(matches!(read("", &spec), Err(SourceError::NoHeader { .. })));
    assert!(matches!(read("\n\r\n", &spec), Err(SourceError::NoHeader { .. })));
    assert!(matches!(read("a,b,\n", &spec), Err(SourceError::UnnamedColumn { line: 1, position: 3, .. })));
    assert!(matches!(
        read("\na,b,A\n", &spec),
        Err(SourceError::DuplicateColumn { line: 2, first: 1, second: 3, .. })
    ));
    for text in ["\"a,b\n1,2\n", "a\",b\n", "\"a\"x,b\n"] {
        assert!(matches!(read(text, &spec), Err(SourceError::BadHeader { line: 1, .. })), "{text:?}");
    }
    let empty = read("a,b\n", &spec).unwrap();
    assert_eq!(empty.accounting, Accounting { bytes: 4, ..Accounting::default() });
    assert_eq!(read("a,b", &spec).unwrap().rows.len(), 0);
}

#[test]
fn a_missing_column_is_null_or_refused() {
    let mut spec = texts(&["a", "b", "c"]);
    let error = read("a\n1\n", &spec).unwrap_err();
    assert_eq!(error.to_string(), "`test.csv` lacks columns `b`, `c`; its header has `a`");
    spec.contract.on_missing_column = MissingColumn::Add;
    assert_eq!(read("a\n1\n", &spec).unwrap().rows, [row(&["1", "", ""])]);
    spec.columns[2].required = true;
    let error = read("a\n1\n", &spec).unwrap_err();
    assert!(
        matches!(&error, SourceError::MissingColumns { missing, required: true, .. } if missing == &["c"])
    );
    assert!(error.help().unwrap().contains("required"));
}

#[test]
fn new_columns_are_refused_ignored_or_added_over_all_files() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("1.csv", "a,extra\n1,2\n"), ("2.csv", "more,a,EXTRA\n3,4,5\n"), ("3.csv", "a\n6\n")]
    {
        fs_err::write(folder.path().join(name), text).unwrap();
    }
    let files = expand(folder.path(), &["*.csv".to_owned()]).unwrap();
    let mut spec = texts(&["a"]);

    let faults = plan_columns(&files, &spec).unwrap_err();
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "`1.csv` has column `extra` that is not declared",
            "`2.csv` has columns `more`, `EXTRA` that are not declared"
        ]
    );

    spec.contract.on_new_column = NewColumn::Ignore;
    spec.columns = plan_columns(&files, &spec).unwrap();
    assert_eq!(spec.columns, texts(&["a"]).columns);
    assert_eq!(drain(Reader::open(&files[1], &spec).unwrap()).unwrap().rows, [row(&["4"])]);

    spec.contract.on_new_column = NewColumn::Add;
    let unplanned = Reader::open(&files[1], &spec).unwrap_err();
    assert!(matches!(unplanned, SourceError::NewColumns { columns, .. } if columns == ["more", "EXTRA"]));
    spec.columns = plan_columns(&files, &spec).unwrap();
    let names: Vec<_> = spec.columns.iter().map(|column| (column.name.as_str(), column.declared)).collect();
    assert_eq!(names, [("a", true), ("extra", false), ("more", false)]);
    // A column that only another file has is no breach, even where declared columns must be there.
    let rows: Vec<_> =
        files.iter().flat_map(|file| drain(Reader::open(file, &spec).unwrap()).unwrap().rows).collect();
    assert_eq!(rows, [row(&["1", "2", ""]), row(&["4", "5", "3"]), row(&["6", "", ""])]);
}

#[test]
fn an_added_column_needs_a_name_that_a_table_can_have() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = texts(&["a"]);
    spec.contract.on_new_column = NewColumn::Add;
    for (name, good) in [
        ("b_2", true),
        ("_x", true),
        ("2b", false),
        ("unit price", false),
        ("preço", false),
        ("_table_suffix", false),
        ("_PARTITIONTIME", false),
        (&"n".repeat(300), true),
        (&"n".repeat(301), false),
    ] {
        let path = folder.path().join("a.csv");
        fs_err::write(&path, format!("a,{name}\n")).unwrap();
        let planned = plan_columns(&[InputFile::new(path)], &spec);
        assert_eq!(planned.is_ok(), good, "{name}");
        if let Err(faults) = planned {
            assert!(matches!(&faults[0], SourceError::InvalidColumnName { column, .. } if column == name));
        }
    }
}

#[test]
fn declarations_that_no_file_can_satisfy() {
    let open = |spec: &ReadSpec| Reader::from_stream("x", io::Cursor::new(b"a\n".to_vec()), spec).map(|_| ());
    assert!(matches!(open(&spec(&[("a", Type::BigNumeric)])), Err(SourceError::UnsupportedType { .. })));
    assert!(matches!(open(&texts(&["a", "A"])), Err(SourceError::DuplicateDeclared { .. })));
    for (delimiter, quote) in
        [(b'"', Some(b'"')), (b'\n', None), (b'x', None), (0xFF, None), (b',', Some(b'1'))]
    {
        let mut wrong = texts(&["a"]);
        (wrong.format.delimiter, wrong.format.quote) = (delimiter, quote);
        assert!(matches!(open(&wrong), Err(SourceError::Format { .. })), "{delimiter} {quote:?}");
    }
}
