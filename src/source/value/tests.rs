use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400_000_000;

fn micros(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

#[test]
fn int64_takes_decimal_digits_to_the_edges() {
    for text in
        ["0", "-0", "+7", "007", "9223372036854775807", "-9223372036854775808", "0000000000000000000000012"]
    {
        assert_eq!(int64(text.as_bytes()), Ok(text.parse().unwrap()), "{text}");
    }
    for text in
        ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "99999999999999999999999"]
    {
        assert_eq!(int64(text.as_bytes()), Err(ValueFault::Int64Range), "{text}");
    }
    for text in ["", "-", "+", "1.0", "1e3", "0x1F", "1_000", "--1", "12a", "1234567890123456789012a", "١"] {
        assert_eq!(int64(text.as_bytes()), Err(ValueFault::Int64), "{text}");
    }
}

#[test]
fn float64_takes_words_and_refuses_overflow() {
    assert_eq!(float64("-23.548945985189434"), Ok(-23.548_945_985_189_434));
    assert_eq!(float64("1e308"), Ok(1e308));
    assert_eq!(float64(".5"), Ok(0.5));
    assert_eq!(float64("1e-400"), Ok(0.0));
    assert_eq!(float64("-Infinity"), Ok(f64::NEG_INFINITY));
    assert_eq!(float64("+inf"), Ok(f64::INFINITY));
    assert!(float64("NaN").unwrap().is_nan());
    for text in ["1e309", "-1e309", "179769313486231580793e300"] {
        assert_eq!(float64(text), Err(ValueFault::Float64Range), "{text}");
    }
    for text in ["", ".", "1,5", "1 000", "0x1p3", "e5", "1e", "infinite"] {
        assert_eq!(float64(text), Err(ValueFault::Float64), "{text}");
    }
}

#[test]
fn numeric_keeps_38_digits_and_loses_none() {
    let largest = "99999999999999999999999999999.999999999";
    for (text, scaled) in [
        ("0", 0),
        ("-0.0", 0),
        ("1", 1_000_000_000),
        ("99.9", 99_900_000_000),
        (".5", 500_000_000),
        ("5.", 5_000_000_000),
        ("+0.000000001", 1),
        ("-0.000000001", -1),
        ("1.0000000000000", 1_000_000_000),
        ("123456789012345678", 123_456_789_012_345_678_000_000_000),
        ("1234567890123456789.123456789", 1_234_567_890_123_456_789_123_456_789),
        ("1e3", 1_000_000_000_000),
        ("1.5E-3", 1_500_000),
        ("1000e-12", 1),
        ("0e999999999999999999999", 0),
        ("00000000000000000000000000000000000000000000001.5", 1_500_000_000),
        ("1e28", 10_i128.pow(37)),
        (largest, 10_i128.pow(38) - 1),
    ] {
        assert_eq!(numeric(text.as_bytes()), Ok(scaled), "{text}");
    }
    assert_eq!(numeric(format!("-{largest}").as_bytes()), Ok(1 - 10_i128.pow(38)));
    for text in [
        "0.0000000001",
        "1.1234567891",
        "1e-10",
        "1e-999999999999999999999",
        "99999999999999999999999999999.9999999999",
    ] {
        assert_eq!(numeric(text.as_bytes()), Err(ValueFault::NumericScale), "{text}");
    }
    for text in ["100000000000000000000000000000", "1e29", "1e999999999999999999999", "-1e30"] {
        assert_eq!(numeric(text.as_bytes()), Err(ValueFault::NumericRange), "{text}");
    }
    for text in [
        "",
        ".",
        "-",
        "1,5",
        "1.2.3",
        "1e",
        "1e+",
        "e1",
        "nan",
        "inf",
        "1 2",
        "0x10",
        "12345678901234567890x",
    ] {
        assert_eq!(numeric(text.as_bytes()), Err(ValueFault::Numeric), "{text}");
    }
}

#[test]
fn bool_takes_five_pairs_of_words() {
    for (yes, no) in [("true", "false"), ("T", "F"), ("Yes", "nO"), ("y", "n"), ("1", "0")] {
        assert_eq!(bool(yes.as_bytes()), Ok(true));
        assert_eq!(bool(no.as_bytes()), Ok(false));
    }
    for text in ["", "2", "on", "tru", "01"] {
        assert_eq!(bool(text.as_bytes()), Err(ValueFault::Bool), "{text}");
    }
}

#[test]
fn dates_at_the_edges_of_calendar_and_form() {
    assert_eq!(date(b"1970-01-01"), Ok(0));
    assert_eq!(date(b"2018-8-5"), date(b"2018-08-05"));
    for (text, fault) in [
        ("0000-12-31", ValueFault::NoSuchDay),
        ("2018-02-29", ValueFault::NoSuchDay),
        ("1900-02-29", ValueFault::NoSuchDay),
        ("2018-13-01", ValueFault::NoSuchDay),
        ("2018-00-01", ValueFault::NoSuchDay),
        ("2018-01-00", ValueFault::NoSuchDay),
        ("2018/01/01", ValueFault::Date),
        ("01-02-2018", ValueFault::Date),
        ("10000-01-01", ValueFault::Date),
        ("18-01-01", ValueFault::Date),
        ("2018-001-01", ValueFault::Date),
        ("2018-01-01 00:00:00", ValueFault::Date),
        ("20180101", ValueFault::Date),
        ("", ValueFault::Date),
        ("-001-01-01", ValueFault::Date),
    ] {
        assert_eq!(date(text.as_bytes()), Err(fault), "{text}");
    }
    assert!(date(b"2000-02-29").is_ok() && date(b"2016-02-29").is_ok());
}

#[test]
fn every_day_of_the_calendar_is_the_day_that_chrono_says() {
    let mut day = NaiveDate::from_ymd_opt(1, 1, 1).unwrap();
    let last = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
    let mut expected = i32::try_from(day.signed_duration_since(NaiveDate::default()).num_days()).unwrap();
    loop {
        let text = format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day());
        assert_eq!(date(text.as_bytes()), Ok(expected), "{text}");
        if day == last {
            break;
        }
        day = day.succ_opt().unwrap();
        expected += 1;
    }
}

#[test]
fn times_at_the_edges() {
    assert_eq!(time(b"00:00:00"), Ok(0));
    assert_eq!(time(b"23:59:59.999999"), Ok(DAY - 1));
    assert_eq!(time(b"1:2:3.5"), Ok(3_723_500_000));
    assert_eq!(time(b"00:00:00.000001000"), Ok(1));
    for (text, fault) in [
        ("24:00:00", ValueFault::NoSuchTime),
        ("23:60:00", ValueFault::NoSuchTime),
        ("23:59:60", ValueFault::NoSuchTime),
        ("12:00:00.0000001", ValueFault::Nanoseconds),
        ("12:00", ValueFault::Time),
        ("12:00:00.", ValueFault::Time),
        ("12:00:00Z", ValueFault::Time),
        ("120000", ValueFault::Time),
        ("", ValueFault::Time),
    ] {
        assert_eq!(time(text.as_bytes()), Err(fault), "{text}");
    }
}

#[test]
fn datetimes_have_no_zone() {
    assert_eq!(datetime(b"2017-07-09 21:57:05"), Ok(micros("2017-07-09T21:57:05Z")));
    assert_eq!(datetime(b"2017-07-09t1:2:3"), Ok(micros("2017-07-09T01:02:03Z")));
    assert_eq!(datetime(b"2017-07-09"), Ok(micros("2017-07-09T00:00:00Z")));
    for (text, fault) in [
        ("2017-07-09 21:57:05Z", ValueFault::Datetime),
        ("2017-07-09 21:57:05+00:00", ValueFault::Datetime),
        ("2017-07-09 21:57", ValueFault::Datetime),
        ("2017-07-09  21:57:05", ValueFault::Datetime),
        ("2017-07-09 ", ValueFault::Datetime),
        ("2017-02-30 21:57:05", ValueFault::NoSuchDay),
        ("2017-07-09 25:00:00", ValueFault::NoSuchTime),
        ("2017-07-09 21:57:05.1234567", ValueFault::Nanoseconds),
    ] {
        assert_eq!(datetime(text.as_bytes()), Err(fault), "{text}");
    }
}

/// The examples of Google's page on CSV load jobs, and the zones of GoogleSQL's timestamp literals.
#[test]
fn timestamps_as_documented() {
    for (text, instant) in [
        ("2018-08-19 12:11", "2018-08-19T12:11:00Z"),
        ("2018-08-19 12:11:35", "2018-08-19T12:11:35Z"),
        ("2018-08-19 12:11:35.22", "2018-08-19T12:11:35.22Z"),
        ("2018/08/19 12:11", "2018-08-19T12:11:00Z"),
        ("2018-07-05 12:54:00 UTC", "2018-07-05T12:54:00Z"),
        ("2018-08-19 07:11:35.220 -05:00", "2018-08-19T12:11:35.22Z"),
        ("2018-08-19T12:11:35.220Z", "2018-08-19T12:11:35.22Z"),
        ("2014-09-27 12:30:00.45-8:00", "2014-09-27T20:30:00.45Z"),
        ("2014-09-27 12:30:00+5", "2014-09-27T07:30:00Z"),
        ("2014-09-27-08:00", "2014-09-27T08:00:00Z"),
        ("2014-09-27", "2014-09-27T00:00:00Z"),
        ("2014-09-27 12:30:00.45 America/Los_Angeles", "2014-09-27T19:30:00.45Z"),
        ("2014-01-27 12:30:00 America/Los_Angeles", "2014-01-27T20:30:00Z"),
        ("2014-09-27 America/Los_Angeles", "2014-09-27T07:00:00Z"),
        // Brazil's clocks went from 00:00 to 01:00 and, later, from 00:00 back to 23:00.
        ("2017-10-15 00:30:00 America/Sao_Paulo", "2017-10-15T03:30:00Z"),
        ("2018-02-17 23:30:00 America/Sao_Paulo", "2018-02-18T01:30:00Z"),
        // The day that Samoa left out.
        ("2011-12-30 12:00:00 Pacific/Apia", "2011-12-30T22:00:00Z"),
        ("0001-01-01 00:00:00", "0001-01-01T00:00:00Z"),
        ("9999-12-31 23:59:59.999999", "9999-12-31T23:59:59.999999Z"),
        ("0001-01-01 14:00:00+14:00", "0001-01-01T00:00:00Z"),
    ] {
        assert_eq!(timestamp(text.as_bytes()), Ok(micros(instant)), "{text}");
    }
}

#[test]
fn timestamps_that_are_none() {
    for (text, fault) in [
        ("1534680695", ValueFault::EpochNumber),
        ("1.534680695e12", ValueFault::EpochNumber),
        ("2018-08-19T12:11:35.123456789Z", ValueFault::Nanoseconds),
        ("2018-08-19 12:11:35 Mars/Olympus", ValueFault::Zone),
        ("2018-08-19 12:11:35America/Sao_Paulo", ValueFault::Zone),
        ("2018-08-19 12:11:35+14:01", ValueFault::Zone),
        ("2018-08-19 12:11:35+01:60", ValueFault::Zone),
        ("2018-08-19 12:11:35+0100", ValueFault::Zone),
        ("2018-08-19 12:11:35+", ValueFault::Zone),
        ("0001-01-01 00:00:00+00:01", ValueFault::TimestampRange),
        ("9999-12-31 23:59:59-00:01", ValueFault::TimestampRange),
        ("2018-08-19 12", ValueFault::Timestamp),
        ("2018-08-19 12:11:35 ", ValueFault::Timestamp),
        ("2018/08-19 12:11:35", ValueFault::Timestamp),
        ("19/08/2018 12:11", ValueFault::Timestamp),
        ("", ValueFault::Timestamp),
        ("nan", ValueFault::Timestamp),
    ] {
        assert_eq!(timestamp(text.as_bytes()), Err(fault), "{text}");
    }
}

#[test]
fn bytes_are_base64_with_padding() {
    // The examples of RFC 4648, section 10.
    for (plain, text) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("foobar", "Zm9vYmFy"),
    ] {
        let mut output = b"kept".to_vec();
        assert_eq!(bytes(text.as_bytes(), &mut output), Ok(()), "{text}");
        assert_eq!(output, format!("kept{plain}").as_bytes());
    }
    for text in ["Zg", "Zg=", "Zg===", "=Zg=", "Zg==Zg==", "Zh==", "Zm9", "Zm9v Zm9v", "____", "===="] {
        let mut output = b"kept".to_vec();
        assert_eq!(bytes(text.as_bytes(), &mut output), Err(ValueFault::Bytes), "{text}");
        assert_eq!(output, b"kept", "{text}");
    }
}

#[test]
fn json_is_checked_and_depth_is_bounded() {
    for text in ["{\"a\": [1, null, \"x\"]}", "3", "\"text\"", "null", " [] ", "1e999"] {
        assert_eq!(json(text), Ok(()), "{text}");
    }
    for text in ["", "{", "{'a': 1}", "[1,]", "nul", "1 2"] {
        assert_eq!(json(text), Err(ValueFault::Json), "{text}");
    }
    for text in ["\"\\ud800\"", "{\"x\": \"\\ud800 \"}", "[\"\\udc00\"]", "{\"\\ud83d\": 1}"] {
        assert_eq!(json(text), Err(ValueFault::Json), "{text}");
    }
    for text in
        ["\"\\ud83d\\ude00\"", "\"\\u00e9\"", "{\"\\u0041\": 1e999}", "\"\\\\ud800é\\n\"", "\"é\\\"\""]
    {
        assert_eq!(json(text), Ok(()), "{text}");
    }
    assert_eq!(json(&"[".repeat(1_000_000)), Err(ValueFault::Json));
}

proptest! {
    #[test]
    fn int64_agrees_with_the_standard_library(text in "[+-]?[0-9]{0,21}") {
        prop_assert_eq!(int64(text.as_bytes()).ok(), text.parse::<i64>().ok());
    }

    #[test]
    fn int64_reads_back_what_is_printed(value in any::<i64>()) {
        prop_assert_eq!(int64(value.to_string().as_bytes()), Ok(value));
    }

    #[test]
    fn float64_reads_back_what_is_printed(value in any::<f64>().prop_filter("a number", |value| !value.is_nan())) {
        prop_assert_eq!(float64(&value.to_string()), Ok(value));
    }

    #[test]
    fn numeric_reads_back_what_is_printed(scaled in -(10_i128.pow(38) - 1)..10_i128.pow(38), zeros in 0_usize..30) {
        let (sign, size) = (if scaled < 0 { "-" } else { "" }, scaled.unsigned_abs());
        let (whole, fraction) = (size / 1_000_000_000, size % 1_000_000_000);
        let (before, after) = ("0".repeat(zeros), "0".repeat(zeros / 3));
        let text = format!("{sign}{before}{whole}.{fraction:09}{after}");
        prop_assert_eq!(numeric(text.as_bytes()), Ok(scaled));
        let scientific = format!("{scaled}e-9");
        prop_assert_eq!(numeric(scientific.as_bytes()), Ok(scaled));
    }

    #[test]
    fn short_and_long_numerics_agree(text in "[0-9]{0,12}\\.?[0-9]{0,10}") {
        // Leading zeros force the general path.
        let long = format!("0000000000000000000000{text}");
        let (short, long) = (numeric(text.as_bytes()), numeric(long.as_bytes()));
        if short != Err(ValueFault::Numeric) {
            prop_assert_eq!(short, long);
        }
    }

    #[test]
    fn datetimes_agree_with_chrono(days in -719_162_i32..=2_932_896, second in 0_u32..86_400, micro in 0_u32..1_000_000, digits in 0_usize..=6) {
        let day = NaiveDate::default() + chrono::TimeDelta::days(i64::from(days));
        let micro = micro / 10_u32.pow(6 - u32::try_from(digits).unwrap()) * 10_u32.pow(6 - u32::try_from(digits).unwrap());
        let clock = NaiveTime::from_num_seconds_from_midnight_opt(second, micro * 1000).unwrap();
        let expected = day.and_time(clock).and_utc().timestamp_micros();
        let fraction = if digits == 0 { String::new() } else { format!(".{}", &format!("{micro:06}")[..digits]) };
        let clock = format!("{}:{:02}:{:02}{fraction}", clock.hour(), clock.minute(), clock.second());
        let date = format!("{:04}-{}-{:02}", day.year(), day.month(), day.day());
        for separator in [' ', 'T'] {
            let text = format!("{date}{separator}{clock}");
            prop_assert_eq!(datetime(text.as_bytes()), Ok(expected));
            prop_assert_eq!(timestamp(text.as_bytes()), Ok(expected));
        }
        prop_assert_eq!(time(clock.as_bytes()), Ok(expected.rem_euclid(DAY)));
    }

    #[test]
    fn offsets_agree_with_chrono(instant in -62_000_000_000_i64..253_000_000_000, minutes in -840_i32..=840) {
        let zone = chrono::FixedOffset::east_opt(minutes * 60).unwrap();
        let text = chrono::DateTime::from_timestamp(instant, 0).unwrap().with_timezone(&zone);
        let text = text.format("%Y-%m-%d %H:%M:%S%:z").to_string();
        prop_assert_eq!(timestamp(text.as_bytes()), Ok(instant * 1_000_000));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "[0-9+\\-./:eETZ zinfatrue=]{0,24}|.{0,12}") {
        let raw = text.as_bytes();
        let _ = (int64(raw), float64(&text), numeric(raw), super::bool(raw), date(raw), time(raw), datetime(raw), timestamp(raw));
        let _ = (json(&text), bytes(raw, &mut Vec::new()));
    }

    #[test]
    fn base64_of_any_bytes_reads_back(plain in prop::collection::vec(any::<u8>(), 0..40)) {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = Vec::new();
        for group in plain.chunks(3) {
            let bits = group.iter().chain(&[0; 3]).take(3).fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte));
            for index in 0..4 {
                text.push(if index <= group.len() { ALPHABET[(bits >> (18 - 6 * index) & 63) as usize] } else { b'=' });
            }
        }
        let mut output = Vec::new();
        prop_assert_eq!(bytes(&text, &mut output), Ok(()));
        prop_assert_eq!(output, plain);
    }
}
