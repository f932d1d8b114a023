//! Laws for any content and any bytes.

use proptest::prelude::*;

use super::*;

/// Field contents with everything that CSV trips over; NUL is refused by rule.
fn content() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9 ]{0,12}",
        "[a\",\r\n; ']{0,12}",
        prop::collection::vec(any::<char>().prop_filter("no NUL", |c| *c != '\0'), 0..8)
            .prop_map(|chars| chars.into_iter().collect::<String>()),
    ]
}

proptest! {
    #[test]
    fn what_the_csv_crate_writes_is_read_back(
        rows in prop::collection::vec(prop::collection::vec(content(), 3), 0..12),
        crlf in any::<bool>(), always in any::<bool>(), tab in any::<bool>(),
    ) {
        let mut spec = texts(&["a", "b", "c"]);
        spec.batch_rows = 5;
        if tab {
            spec.format.delimiter = b'\t';
        }
        let mut writer = csv::WriterBuilder::new()
            .delimiter(spec.format.delimiter)
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .quote_style(if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
            .from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let all = read(writer.into_inner().unwrap(), &spec).unwrap();
        prop_assert_eq!(all.rejects, []);
        let expected: Vec<Vec<_>> = rows
            .iter()
            .map(|row| row.iter().map(|value| (!value.is_empty()).then(|| value.clone())).collect())
            .collect();
        prop_assert_eq!(all.rows, expected);
        prop_assert_eq!(all.accounting.rows_good, rows.len() as u64);
    }

    #[test]
    fn any_bytes_are_accounted_for(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[ab1,\"\r\n\u{e9}]{0,200}".prop_map(String::into_bytes),
        ],
        label in prop::sample::select(vec!["utf-8", "utf-16le", "windows-1252", "shift_jis", "gb18030", "iso-2022-jp"]),
        limit in prop::sample::select(vec![40_usize, 100_000]),
    ) {
        let mut spec = spec(&[("a", Type::String), ("b", Type::Int64)]);
        spec.format = spec.format.with_encoding_label(label).unwrap();
        spec.batch_rows = 4;
        spec.record_limit = limit;
        let header = "a,b\n";
        let mut bytes: Vec<u8> = if label == "utf-16le" {
            header.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else {
            header.as_bytes().to_vec()
        };
        bytes.extend_from_slice(&body);
        match read(&bytes, &spec) {
            Ok(all) => {
                prop_assert!(all.accounting.is_balanced());
                prop_assert_eq!(all.accounting.rows_good, all.rows.len() as u64);
                prop_assert_eq!(all.accounting.rows_rejected, all.rejects.len() as u64);
                if label == "utf-8" {
                    prop_assert_eq!(all.accounting.bytes, bytes.len() as u64);
                }
            }
            Err(SourceError::RecordTooLong { .. }) => prop_assert!(limit == 40),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    /// No text is lost: the records of a text file of one column, refused and accepted, are its lines.
    #[test]
    fn every_line_is_kept_somewhere(lines in prop::collection::vec("[ab ,]{1,9}", 0..20)) {
        let text = format!("a\n{}\n", lines.join("\n"));
        let all = read(text, &texts(&["a"])).unwrap();
        let kept = all.rows.len() + all.rejects.len();
        prop_assert_eq!(kept, lines.len());
        let refused: Vec<_> = all.rejects.iter().map(|reject| reject.record.clone()).collect();
        let expected: Vec<_> = lines.iter().filter(|line| line.contains(',')).cloned().collect();
        prop_assert_eq!(refused, expected);
    }

    #[test]
    fn no_header_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = read(&bytes, &texts(&["a"]));
    }
}
