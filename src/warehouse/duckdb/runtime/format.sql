-- FORMAT. `%t` prints a value for people, `%T` as a literal.
CREATE OR REPLACE MACRO googlesql.pointed(a) AS list_transform([a], lambda v: CASE WHEN v = 0 AND signbit(v) THEN '-0.0' ELSE
    list_transform([googlesql.float64_string(v)], lambda s: CASE WHEN regexp_full_match(s, '-?[0-9]+') THEN s || '.0' ELSE s END)[1] END)[1];
-- Bytes that are not printable ASCII become escapes. `spread` puts them at U+0100.
CREATE OR REPLACE MACRO googlesql.escaped_byte(code, quote) AS CASE WHEN code = 92 THEN '\\'
    ELSE CASE WHEN code = quote OR quote = -1 AND code IN (34, 39, 96) THEN '\' || chr(CAST(code AS INTEGER)) WHEN code BETWEEN 32 AND 126 THEN chr(CAST(code AS INTEGER)) ELSE '\x' || lpad(lower(hex(code)), 2, '0') END END;
CREATE OR REPLACE MACRO googlesql.escaped_bytes(a, quote) AS list_transform([googlesql.spread(a)], lambda v: CASE WHEN v = '' THEN '' ELSE
    list_aggregate(list_transform(string_split(v, ''), lambda c: googlesql.escaped_byte(unicode(c) - 256, quote)), 'string_agg', '') END)[1];
CREATE OR REPLACE MACRO googlesql.escaped_text(a, quote) AS CASE WHEN a = '' THEN '' ELSE
    list_aggregate(list_transform(string_split(a, ''), lambda c: CASE unicode(c) WHEN 9 THEN '\t' WHEN 10 THEN '\n' WHEN 13 THEN '\r' ELSE CASE WHEN unicode(c) < 128 THEN googlesql.escaped_byte(unicode(c), quote) ELSE c END END), 'string_agg', '') END;
-- In double quotes, unless they stand in the text and single ones do not.
CREATE OR REPLACE MACRO googlesql.text_literal(a) AS list_transform([a], lambda v: CASE WHEN contains(v, '"') AND NOT contains(v, '''') THEN '''' || googlesql.escaped_text(v, 39) || ''''
    ELSE '"' || googlesql.escaped_text(v, 34) || '"' END)[1];
CREATE OR REPLACE MACRO googlesql.float64_literal(a) AS list_transform([a], lambda v: CASE WHEN isfinite(v) THEN googlesql.pointed(v) WHEN v IS NOT NULL THEN 'CAST("' || googlesql.float64_string(v) || '" AS FLOAT64)' END)[1];
CREATE OR REPLACE MACRO googlesql.listed(a) AS CASE WHEN a IS NOT NULL THEN '[' || coalesce(list_aggregate(list_transform(a, lambda w: coalesce(w, 'NULL')), 'string_agg', ', '), '') || ']' END;
CREATE OR REPLACE MACRO googlesql.format_plain(a VARCHAR) AS coalesce(a, 'NULL'),
    (a BIGINT) AS coalesce(CAST(a AS VARCHAR), 'NULL'), (a BOOLEAN) AS coalesce(CAST(a AS VARCHAR), 'NULL'),
    (a DOUBLE) AS coalesce(googlesql.pointed(a), 'NULL'),
    (a DECIMAL(38,9)) AS coalesce(list_transform([a], lambda v: googlesql.numeric_string(v))[1], 'NULL'),
    (a DATE) AS coalesce(CAST(a AS VARCHAR), 'NULL'), (a TIME) AS coalesce(googlesql.as_string(a), 'NULL'),
    (a TIMESTAMP) AS coalesce(googlesql.as_string(a), 'NULL'), (a TIMESTAMPTZ) AS coalesce(googlesql.as_string(a), 'NULL'),
    (a BLOB) AS coalesce(googlesql.escaped_bytes(a, -1), 'NULL'),
    (a BIGINT[]) AS coalesce(googlesql.listed(list_transform(a, lambda v: CAST(v AS VARCHAR))), 'NULL'),
    (a VARCHAR[]) AS coalesce(googlesql.listed(a), 'NULL'),
    (a DOUBLE[]) AS coalesce(googlesql.listed(list_transform(a, lambda v: googlesql.pointed(v))), 'NULL'),
    (a DATE[]) AS coalesce(googlesql.listed(list_transform(a, lambda v: CAST(v AS VARCHAR))), 'NULL'),
    (a UBIGINT[4]) AS coalesce(bignumeric_text(a), 'NULL');
CREATE OR REPLACE MACRO googlesql.format_literal(a VARCHAR) AS coalesce(googlesql.text_literal(a), 'NULL'),
    (a BIGINT) AS coalesce(CAST(a AS VARCHAR), 'NULL'), (a BOOLEAN) AS coalesce(CAST(a AS VARCHAR), 'NULL'),
    (a DOUBLE) AS coalesce(googlesql.float64_literal(a), 'NULL'),
    (a DECIMAL(38,9)) AS coalesce('NUMERIC "' || list_transform([a], lambda v: googlesql.numeric_string(v))[1] || '"', 'NULL'),
    (a DATE) AS coalesce('DATE "' || CAST(a AS VARCHAR) || '"', 'NULL'), (a TIME) AS coalesce('TIME "' || googlesql.as_string(a) || '"', 'NULL'),
    (a TIMESTAMP) AS coalesce('DATETIME "' || googlesql.as_string(a) || '"', 'NULL'), (a TIMESTAMPTZ) AS coalesce('TIMESTAMP "' || googlesql.as_string(a) || '"', 'NULL'),
    (a BLOB) AS coalesce('b"' || googlesql.escaped_bytes(a, 34) || '"', 'NULL'),
    (a BIGINT[]) AS coalesce(googlesql.listed(list_transform(a, lambda v: CAST(v AS VARCHAR))), 'NULL'),
    (a VARCHAR[]) AS coalesce(googlesql.listed(list_transform(a, lambda v: googlesql.text_literal(v))), 'NULL'),
    (a DOUBLE[]) AS coalesce(googlesql.listed(list_transform(a, lambda v: googlesql.float64_literal(v))), 'NULL'),
    (a DATE[]) AS coalesce(googlesql.listed(list_transform(a, lambda v: 'DATE "' || CAST(v AS VARCHAR) || '"')), 'NULL'),
    (a UBIGINT[4]) AS coalesce('BIGNUMERIC "' || bignumeric_text(a) || '"', 'NULL');
-- So many decimals: of a NUMERIC all that it has, of a FLOAT64 those of the number that is nearest to its digits.
CREATE OR REPLACE MACRO googlesql.decimals(text, digits) AS CASE WHEN digits = 0 THEN text[1:-11] WHEN digits <= 9 THEN text[1:-(10 - digits)] ELSE text || repeat('0', digits - 9) END;
CREATE OR REPLACE MACRO googlesql.format_fixed(a DOUBLE, digits, kept, native) AS format(native, a + 0),
    (a DECIMAL(38,9), digits, kept, native) AS googlesql.decimals(CAST(CAST(round(a, CAST(kept AS INTEGER)) AS DECIMAL(38,9)) AS VARCHAR), digits);
-- CAST of a number with FORMAT: whether it is negative, and its digits. https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements
CREATE OR REPLACE MACRO googlesql.number_parts(a BIGINT, digits, kept, native) AS list_transform([a], lambda "v$parts": struct_pack(n := "v$parts" < 0, t := CAST(abs(CAST("v$parts" AS HUGEINT)) AS VARCHAR) || CASE WHEN digits > 0 THEN '.' || repeat('0', digits) ELSE '' END))[1],
    (a DOUBLE, digits, kept, native) AS list_transform([a], lambda "v$parts": struct_pack(n := "v$parts" < 0, t := CASE WHEN isfinite("v$parts") THEN format(native, abs("v$parts")) WHEN "v$parts" IS NOT NULL THEN CAST(CAST('Invalid number for CAST with FORMAT: ' || "v$parts" AS BIGINT) AS VARCHAR) END))[1],
    (a DECIMAL(38,9), digits, kept, native) AS list_transform([a], lambda "v$parts": struct_pack(n := "v$parts" < 0, t := googlesql.decimals(CAST(CAST(round(abs("v$parts"), CAST(kept AS INTEGER)) AS DECIMAL(38,9)) AS VARCHAR), digits)))[1];
-- Digits before the point at their places; what does not fit is shown as #.
CREATE OR REPLACE MACRO googlesql.number_whole(t, places, zeros, digits) AS list_transform([CASE WHEN digits > 0 AND split_part(t, '.', 1) = '0' THEN '' ELSE split_part(t, '.', 1) END], lambda "w$whole":
    CASE WHEN length("w$whole") > places THEN repeat('#', places) WHEN length("w$whole") < zeros THEN lpad("w$whole", zeros, '0') ELSE "w$whole" END)[1];
CREATE OR REPLACE MACRO googlesql.number_grouped(w, places, commas) AS list_transform([lpad(w, places, ' ')], lambda "w$grouped": ltrim(coalesce(list_aggregate(list_transform(range(1, places + 1), lambda "i$grouped":
    "w$grouped"["i$grouped"] || CASE WHEN list_contains(commas, "i$grouped") AND "w$grouped"["i$grouped"] <> ' ' THEN ',' ELSE '' END), 'string_agg', ''), ''), ' '))[1];
CREATE OR REPLACE MACRO googlesql.number_picture(parts, places, zeros, digits, commas, point, currency, signs, width) AS list_transform([parts], lambda "p$picture": list_transform([googlesql.number_whole("p$picture".t, places, zeros, digits)], lambda "w$picture":
    CASE WHEN "p$picture".t IS NOT NULL THEN lpad(CASE WHEN "p$picture".n THEN signs[1] ELSE signs[2] END || currency || googlesql.number_grouped("w$picture", places, commas) || point
        || CASE WHEN digits = 0 THEN '' WHEN contains("w$picture", '#') OR places = 0 AND NOT starts_with("p$picture".t, '0.') THEN repeat('#', digits) ELSE split_part("p$picture".t, '.', 2) END
        || CASE WHEN "p$picture".n THEN signs[3] ELSE signs[4] END, width, ' ') END)[1])[1];
