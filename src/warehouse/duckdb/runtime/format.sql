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
    (a DATE[]) AS coalesce(googlesql.listed(list_transform(a, lambda v: CAST(v AS VARCHAR))), 'NULL');
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
    (a DATE[]) AS coalesce(googlesql.listed(list_transform(a, lambda v: 'DATE "' || CAST(v AS VARCHAR) || '"')), 'NULL');
-- So many decimals: of a NUMERIC all that it has, of a FLOAT64 those of the number that is nearest to its digits.
CREATE OR REPLACE MACRO googlesql.decimals(text, digits) AS CASE WHEN digits = 0 THEN text[1:-11] WHEN digits <= 9 THEN text[1:-(10 - digits)] ELSE text || repeat('0', digits - 9) END;
CREATE OR REPLACE MACRO googlesql.format_fixed(a DOUBLE, digits, kept, native) AS format(native, a + 0),
    (a DECIMAL(38,9), digits, kept, native) AS googlesql.decimals(CAST(CAST(round(a, CAST(kept AS INTEGER)) AS DECIMAL(38,9)) AS VARCHAR), digits);
