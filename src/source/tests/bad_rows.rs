//! Records that are no rows: what is reported, and that reading goes on.

use std::io;

use super::*;

#[test]
fn a_bad_row_keeps_its_text_and_the_next_one_is_read() {
    let spec = ReadSpec::new(vec![
        ColumnSpec::new("id", Type::Int64).required(),
        ColumnSpec::new("day", Type::Date),
    ]);
    let text = "id,day\n1,2018-01-01\n,2018-01-01\n2\n3,2018-01-01,x\n4,2018-02-30\n5,\n";
    let all = read(text, &spec).unwrap();
    assert_eq!(all.rows, [row(&["1", "17532"]), row(&["5", ""])]);
    assert_eq!(
        all.reasons(),
        [
            (3, 2, Some("id"), "it is NULL, and the column is required"),
            (4, 3, None, "the record has 1 field, the header has 2"),
            (5, 4, None, "the record has 3 fields, the header has 2"),
            (6, 5, Some("day"), "there is no such day: the calendar goes from 0001-01-01 to 9999-12-31"),
        ]
    );
    assert_eq!(all.rejects[3].value.as_deref(), Some("2018-02-30"));
    assert_eq!(all.rejects[3].record, "4,2018-02-30");
    assert_eq!(
        all.accounting,
        Accounting { rows_read: 6, rows_good: 2, rows_rejected: 4, bytes: text.len() as u64 }
    );
}

#[test]
fn a_value_is_shown_shortened_and_kept_whole() {
    let long = "é".repeat(201);
    let all = read(format!("n\n{long}\n"), &spec(&[("n", Type::Int64)])).unwrap();
    assert_eq!(all.rejects[0].value, Some("é".repeat(200)));
    assert_eq!(all.rejects[0].record, long);
}

#[test]
fn stray_quotes_are_refused_and_stay_in_their_line() {
    let spec = texts(&["a", "b"]);
    let all = read("a,b\n\"x\"y,1\n5\" pipe,2\nfine,3\n\"He said \"hi, there\"\",4\n", &spec).unwrap();
    assert_eq!(all.rows, [row(&["fine", "3"])]);
    let found: Vec<_> = all
        .rejects
        .iter()
        .map(|reject| (reject.line, reject.column.as_deref(), reject.value.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            (2, Some("a"), Some("\"x\"y")),
            (3, Some("a"), Some("5\" pipe")),
            (5, Some("a"), Some("\"He said \"hi"))
        ]
    );
    // Without a quote character they are text.
    let mut plain = texts(&["a", "b"]);
    plain.format.quote = None;
    assert_eq!(read("a,b\n\"x\"y,5\"\n", &plain).unwrap().rows, [row(&["\"x\"y", "5\""])]);
}

#[test]
fn an_unclosed_quote_costs_its_own_line_only() {
    let spec = spec(&[("a", Type::String), ("b", Type::Int64)]);
    // To the end of the file.
    let all = read("a,b\n\"open,1\nx,2\ny,3\n", &spec).unwrap();
    assert_eq!(all.rows, [row(&["x", "2"]), row(&["y", "3"])]);
    assert_eq!(all.rejects[0].line, 2);
    assert_eq!(all.rejects[0].record, "\"open,1");
    assert_eq!(all.rejects[0].column.as_deref(), Some("a"));
    assert!(all.rejects[0].reason.contains("never closed"), "{}", all.rejects[0].reason);
    // To the next quote, many lines on.
    let all = read("a,b\n\"open,1\r\nx,2\r\n\"y\",3\r\n", &spec).unwrap();
    assert_eq!(all.rows, [row(&["x", "2"]), row(&["y", "3"])]);
    assert!(all.rejects[0].reason.contains("later line"), "{}", all.rejects[0].reason);
    // A stray quote in the first line does not tear a field with real line breaks apart.
    let all = read("a,b\n5\" pipe,\"1\n\"\nx,2\n", &spec).unwrap();
    assert_eq!((all.rejects.len(), all.rejects[0].record.as_str()), (1, "5\" pipe,\"1\n\""));
    assert_eq!(all.rows, [row(&["x", "2"])]);
}

#[test]
fn a_quote_open_past_the_limit_is_reported_and_a_line_past_it_is_an_error() {
    let mut spec = texts(&["a", "b"]);
    spec.record_limit = 50;
    // The quote is closed at last, but too far on.
    let filler = "x,2\n".repeat(20);
    let all = read(format!("a,b\n\"open,1\n{filler}\"end\",3\n"), &spec).unwrap();
    assert_eq!((all.rows.len(), all.rejects.len()), (21, 1));
    assert_eq!(all.rejects[0].record, "\"open,1");

    let fits = format!("a,b\n{},2\n", "y".repeat(48));
    assert_eq!(read(&fits, &spec).unwrap().rows.len(), 1);
    for text in [format!("a,b\n{},2\n", "y".repeat(49)), format!("a,b\n\"{}\",2\n", "y".repeat(60))] {
        let error = read(text, &spec).unwrap_err();
        assert!(matches!(error, SourceError::RecordTooLong { line: 2, limit: 50, .. }), "{error}");
    }
}

#[test]
fn undecodable_bytes_and_nul_are_bad_rows() {
    let spec = texts(&["a", "b"]);
    let all = read(b"a,b\nok,1\nx,caf\xE9!\nn\0,2\n\xC3\xA9,3\n\"\xF0\x9F\n\",4\n", &spec).unwrap();
    assert_eq!(all.rows, [row(&["ok", "1"]), row(&["é", "3"])]);
    let found: Vec<_> = all
        .rejects
        .iter()
        .map(|reject| {
            (reject.line, reject.column.as_deref(), reject.value.as_deref(), reject.record.as_str())
        })
        .collect();
    assert_eq!(
        found,
        [
            (3, Some("b"), Some("caf\\xE9!"), "x,caf\\xE9!"),
            (4, Some("a"), Some("n\0"), "n\0,2"),
            (6, Some("a"), Some("\\xF0\\x9F\n"), "\"\\xF0\\x9F\n\",4"),
        ]
    );
}

#[test]
fn memory_stays_flat_when_every_row_is_bad() {
    let text = format!("n\n{}", "x\n".repeat(20_000));
    let mut reader = Reader::from_stream("x", io::Cursor::new(text), &spec(&[("n", Type::Int64)])).unwrap();
    let mut batch = Batch::default();
    let mut rejects = 0;
    while reader.next_batch(&mut batch).unwrap() {
        assert!(batch.rejects.len() <= 4096);
        rejects += batch.rejects.len();
    }
    assert_eq!(rejects, 20_000);
}
