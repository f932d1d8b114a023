//! The module from bytes to batches.

use std::io::{self, Read, Write};

use super::*;
use crate::googlesql::Type;

mod bad_rows;
mod headers;
mod laws;
mod real;

/// Everything that a file yields.
#[derive(Debug, Default, PartialEq)]
struct Yield {
    /// For each row its columns as text; `None` is NULL.
    rows: Vec<Vec<Option<String>>>,
    rejects: Vec<Reject>,
    accounting: Accounting,
}

impl Yield {
    fn reasons(&self) -> Vec<(u64, u64, Option<&str>, &str)> {
        self.rejects
            .iter()
            .map(|reject| (reject.line, reject.row, reject.column.as_deref(), reject.reason.as_str()))
            .collect()
    }
}

fn shown(column: &Column, row: usize) -> Option<String> {
    column.valid[row].then(|| match &column.data {
        ColumnData::Text(strings) | ColumnData::Json(strings) => strings.get(row).to_owned(),
        ColumnData::Bytes(strings) => format!("{:?}", strings.get(row)),
        ColumnData::Int64(values)
        | ColumnData::Time(values)
        | ColumnData::Datetime(values)
        | ColumnData::Timestamp(values) => values[row].to_string(),
        ColumnData::Float64(values) => values[row].to_string(),
        ColumnData::Numeric(values) => values[row].to_string(),
        ColumnData::Bool(values) => values[row].to_string(),
        ColumnData::Date(values) => values[row].to_string(),
    })
}

fn drain(mut reader: Reader) -> Result<Yield, SourceError> {
    let mut all = Yield::default();
    let mut batch = Batch::default();
    while reader.next_batch(&mut batch)? {
        for column in &batch.columns {
            assert_eq!(column.len(), batch.rows);
            assert_eq!(column.nulls, column.valid.iter().filter(|valid| !**valid).count());
        }
        for row in 0..batch.rows {
            all.rows.push(batch.columns.iter().map(|column| shown(column, row)).collect());
        }
        all.rejects.append(&mut batch.rejects);
    }
    assert!(batch.rows == 0 && batch.rejects.is_empty());
    all.accounting = reader.accounting();
    Ok(all)
}

/// Gives its bytes a few at a time, as a slow file system or a pipe may.
struct Trickle(io::Cursor<Vec<u8>>, usize);

impl Read for Trickle {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = output.len().min(self.1);
        self.0.read(&mut output[..count])
    }
}

fn read(bytes: impl AsRef<[u8]>, spec: &ReadSpec) -> Result<Yield, SourceError> {
    let bytes = bytes.as_ref().to_vec();
    let whole = Reader::from_stream("test.csv", io::Cursor::new(bytes.clone()), spec).and_then(drain);
    // However the bytes come in, the outcome is the same.
    let slow = Reader::from_stream("test.csv", Trickle(io::Cursor::new(bytes), 3), spec).and_then(drain);
    match (&whole, &slow) {
        (Ok(whole), Ok(slow)) => assert_eq!(whole, slow),
        (whole, slow) => assert_eq!(format!("{whole:?}"), format!("{slow:?}")),
    }
    whole
}

fn spec(columns: &[(&str, Type)]) -> ReadSpec {
    ReadSpec::new(columns.iter().map(|(name, data_type)| ColumnSpec::new(*name, data_type.clone())).collect())
}

fn texts(names: &[&str]) -> ReadSpec {
    ReadSpec::new(names.iter().map(|name| ColumnSpec::new(*name, Type::String)).collect())
}

fn row(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| (!value.is_empty()).then(|| (*value).to_owned())).collect()
}

#[test]
fn every_type_from_one_line() {
    let spec = spec(&[
        ("s", Type::String),
        ("i", Type::Int64),
        ("f", Type::Float64),
        ("n", Type::Numeric),
        ("b", Type::Bool),
        ("d", Type::Date),
        ("dt", Type::Datetime),
        ("t", Type::Time),
        ("ts", Type::Timestamp),
        ("y", Type::Bytes),
        ("j", Type::Json),
    ]);
    let all = read(
        "s,i,f,n,b,d,dt,t,ts,y,j\n\
         é, 7 ,-0.5,99.9,Yes,1970-01-02,1970-01-01 00:00:01,00:00:02,1970-01-01 01:00:00+01:00,Zm8=,\"{\"\"a\"\": 1}\"\n\
         ,,,,,,,,,,\n",
        &spec,
    )
    .unwrap();
    assert_eq!(
        all.rows,
        [
            row(&[
                "é",
                "7",
                "-0.5",
                "99900000000",
                "true",
                "1",
                "1000000",
                "2000000",
                "0",
                "[102, 111]",
                "{\"a\": 1}"
            ]),
            row(&[""; 11]),
        ]
    );
    assert!(all.accounting.is_balanced() && all.rejects.is_empty());
}

#[test]
fn the_null_of_json_is_no_value() {
    let mut spec = spec(&[("s", Type::String), ("j", Type::Json)]);
    let all = read("s,j\nnull, null \nx,[null]\n", &spec).unwrap();
    assert_eq!(all.rows, [vec![Some("null".to_owned()), None], row(&["x", "[null]"])]);
    spec.columns[1].required = true;
    let all = read("s,j\nx,null\ny,1\n", &spec).unwrap();
    assert_eq!((all.rows.len(), all.rejects.len()), (1, 1));
}

#[test]
fn null_markers_apply_to_every_type_quoted_or_not() {
    let mut spec = spec(&[("s", Type::String), ("i", Type::Int64)]);
    let all = read("s,i\n,\n\"\",\"\"\nNA,1\n", &spec).unwrap();
    assert_eq!(all.rows, [row(&["", ""]), row(&["", ""]), row(&["NA", "1"])]);

    spec.format.null_markers = vec!["NA".to_owned(), "\\N".to_owned()];
    let all = read("s,i\nNA,\\N\n\"NA\",NA\n,1\nx,\n", &spec).unwrap();
    assert_eq!(all.rows, [row(&["", ""]), row(&["", ""]), vec![Some(String::new()), Some("1".to_owned())]]);
    assert_eq!(
        all.reasons(),
        [(5, 4, Some("i"), "it is not an INT64: that is a whole number in decimal digits")]
    );
}

#[test]
fn line_ends_empty_lines_and_a_missing_last_one() {
    let spec = texts(&["a", "b"]);
    for text in ["a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4", "a,b\r1,2\r3,4\r", "\n\na,b\n\n1,2\r\n\r\n3,4\n\n"] {
        let all = read(text, &spec).unwrap();
        assert_eq!(all.rows, [row(&["1", "2"]), row(&["3", "4"])], "{text:?}");
        assert_eq!(all.accounting.bytes, text.len() as u64, "{text:?}");
        assert_eq!(all.accounting.rows_read, 2);
    }
    // A record that ends with the file right after a delimiter still has its last field.
    assert_eq!(read("a,b\n1,", &spec).unwrap().rows, [row(&["1", ""])]);
}

#[test]
fn lines_are_physical_and_rows_are_records() {
    let spec = spec(&[("text", Type::String), ("n", Type::Int64)]);
    let all = read("text,n\n\"a\nb\r\nc\rd\",1\n\n\"e\",x\r\ny,2\r\n\"\n\",z\nlast,?", &spec).unwrap();
    assert_eq!(all.rows, [row(&["a\nb\r\nc\rd", "1"]), row(&["y", "2"])]);
    let lines: Vec<_> =
        all.rejects.iter().map(|reject| (reject.line, reject.row, reject.record.as_str())).collect();
    assert_eq!(lines, [(7, 2, "\"e\",x"), (9, 4, "\"\n\",z"), (11, 5, "last,?")]);
}

#[test]
fn byte_order_marks_are_taken_away() {
    let spec = texts(&["é", "b"]);
    let text = "é,b\n\"ü\",😀\n";
    let expected = [row(&["ü", "😀"])];
    assert_eq!(read(format!("\u{FEFF}{text}"), &spec).unwrap().rows, expected);
    // UTF-16 announces itself, whatever was declared.
    let mut little = vec![0xFF, 0xFE];
    little.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(read(&little, &spec).unwrap().rows, expected);
    let mut big = vec![0xFE, 0xFF];
    big.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    assert_eq!(read(&big, &spec).unwrap().rows, expected);
    // Without a mark it must be declared, and is noticed when it is not.
    let mut declared = spec.clone();
    declared.format = declared.format.with_encoding_label("utf-16le").unwrap();
    assert_eq!(read(&little[2..], &declared).unwrap().rows, expected);
    assert!(matches!(read(&little[2..], &texts(&["a"])), Err(SourceError::BadHeader { line: 1, .. })));
}

#[test]
fn other_encodings_are_decoded_and_their_faults_seen() {
    let mut spec = texts(&["a", "b"]);
    spec.format = spec.format.with_encoding_label("latin1").unwrap();
    assert_eq!(read(b"a,b\ncaf\xE9,\x80\n", &spec).unwrap().rows, [row(&["café", "€"])]);

    spec.format = spec.format.with_encoding_label("shift_jis").unwrap();
    let all = read(b"a,b\n\x93\xFA\x96{,1\nx\xFF,2\ny,3\n", &spec).unwrap();
    assert_eq!(all.rows, [row(&["日本", "1"]), row(&["y", "3"])]);
    assert_eq!((all.rejects[0].line, all.rejects[0].record.as_str()), (3, "x\\xFF,2"));

    // A lone surrogate in UTF-16.
    spec.format = spec.format.with_encoding_label("utf-16be").unwrap();
    let mut bytes: Vec<u8> = "a,b\nx".encode_utf16().flat_map(u16::to_be_bytes).collect();
    bytes.extend([0xD8, 0x3D]);
    bytes.extend(",2\n".encode_utf16().flat_map(u16::to_be_bytes));
    let all = read(&bytes, &spec).unwrap();
    assert_eq!(all.rejects[0].record, "x\\xD8\\x3D,2");

    assert!(matches!(
        CsvFormat::default().with_encoding_label("latin-nonsense"),
        Err(SourceError::UnknownEncoding { .. })
    ));
}

#[test]
fn gzip_is_known_by_name_and_by_content() {
    let spec = texts(&["a"]);
    let packed = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    // Two members one after the other, as `cat a.gz b.gz` makes.
    let both = [packed("\u{FEFF}a\n1\n"), packed("2\n")].concat();
    assert_eq!(read(&both, &spec).unwrap().rows, [row(&["1"]), row(&["2"])]);
    // A damaged file is an error, never a shorter table.
    let error = read(&both[..both.len() - 5], &spec).unwrap_err();
    assert!(matches!(error, SourceError::Read { .. }), "{error}");
    let plain = Reader::from_stream("a.csv.gz", io::Cursor::new(b"a\n1\n".to_vec()), &spec);
    assert!(matches!(plain, Err(SourceError::Read { .. })));
}

#[test]
fn batches_end_at_their_size_and_are_refilled() {
    let mut spec = spec(&[("n", Type::Int64), ("s", Type::String)]);
    spec.batch_rows = 3;
    let mut text = "n,s\n".to_owned();
    for number in 0..8 {
        let value = if number == 4 { "bad,row".to_owned() } else { "v".repeat(number) };
        text.extend([number.to_string().as_str(), ",", &value, "\n"]);
    }
    let mut reader = Reader::from_stream("x", io::Cursor::new(text), &spec).unwrap();
    let mut batch = Batch::default();
    let mut seen = Vec::new();
    while reader.next_batch(&mut batch).unwrap() {
        let ColumnData::Int64(numbers) = &batch.columns[0].data else { panic!("{batch:?}") };
        let ColumnData::Text(strings) = &batch.columns[1].data else { panic!("{batch:?}") };
        assert_eq!(
            strings.iter().map(str::len).collect::<Vec<_>>(),
            numbers.iter().map(|&number| usize::try_from(number).unwrap()).collect::<Vec<_>>()
        );
        seen.push((numbers.clone(), batch.rejects.len()));
    }
    assert_eq!(seen, [(vec![0, 1, 2], 0), (vec![3, 5, 6], 1), (vec![7], 0)]);
    assert!(!reader.next_batch(&mut batch).unwrap());
    // The same batch serves a reader with other columns.
    let mut other = Reader::from_stream(
        "x",
        io::Cursor::new(b"d\n1970-01-02\n".to_vec()),
        &self::spec(&[("d", Type::Date)]),
    )
    .unwrap();
    assert!(other.next_batch(&mut batch).unwrap());
    assert_eq!(batch.columns.len(), 1);
    assert_eq!(batch.columns[0].data, ColumnData::Date(vec![1]));
}
