-- What operators, windows and views of the catalog need.

-- The value at a fraction of the way through sorted values: the place is `(n - 1) * mantissa / 2^exponent`, the weights are exact.
CREATE OR REPLACE MACRO googlesql.percentile_cont(smallest, n, mantissa, exponent, near) AS list_transform([struct_pack(v := smallest, p := (n - 1) * CAST(mantissa AS BIGINT), m := near, n := n)], lambda "p$percentile":
    CASE WHEN "p$percentile".n = 0 THEN NULL WHEN "p$percentile".n > 256 THEN "p$percentile".m
         WHEN "p$percentile".p % (CAST(1 AS BIGINT) << exponent) = 0 THEN "p$percentile".v[("p$percentile".p >> exponent) + 1]
         ELSE "p$percentile".v[("p$percentile".p >> exponent) + 1] * (((CAST(1 AS BIGINT) << exponent) - "p$percentile".p % (CAST(1 AS BIGINT) << exponent)) / CAST(CAST(1 AS BIGINT) << exponent AS DOUBLE))
            + "p$percentile".v[("p$percentile".p >> exponent) + 2] * ("p$percentile".p % (CAST(1 AS BIGINT) << exponent) / CAST(CAST(1 AS BIGINT) << exponent AS DOUBLE)) END)[1];
-- Shifts of the 64 bits of an INT64; zeros come in from both sides.
CREATE OR REPLACE MACRO googlesql.bits_of(a) AS CASE WHEN a < 0 THEN CAST(a AS HUGEINT) + 18446744073709551616 ELSE CAST(a AS HUGEINT) END;
CREATE OR REPLACE MACRO googlesql.of_bits(a) AS CAST(CASE WHEN a >= 9223372036854775808 THEN a - 18446744073709551616 ELSE a END AS BIGINT);
CREATE OR REPLACE MACRO googlesql.shift_left(a, n) AS list_transform([struct_pack(a := CAST(a AS BIGINT), n := CAST(n AS BIGINT))], lambda "p$shift": CASE
    WHEN "p$shift".n < 0 THEN CAST('Bitwise shift by negative offset.' AS BIGINT)
    WHEN "p$shift".n > 63 THEN CASE WHEN "p$shift".a IS NOT NULL THEN 0 END
    ELSE googlesql.of_bits((googlesql.bits_of("p$shift".a) % CAST(pow(2, 64 - "p$shift".n) AS HUGEINT)) * CAST(pow(2, "p$shift".n) AS HUGEINT)) END)[1];
CREATE OR REPLACE MACRO googlesql.shift_right(a, n) AS list_transform([struct_pack(a := CAST(a AS BIGINT), n := CAST(n AS BIGINT))], lambda "p$shift": CASE
    WHEN "p$shift".n < 0 THEN CAST('Bitwise shift by negative offset.' AS BIGINT)
    WHEN "p$shift".n > 63 THEN CASE WHEN "p$shift".a IS NOT NULL THEN 0 END
    ELSE googlesql.of_bits(googlesql.bits_of("p$shift".a) // CAST(pow(2, "p$shift".n) AS HUGEINT)) END)[1];
-- The name that BigQuery has for a type of DuckDB.
CREATE OR REPLACE MACRO googlesql.scalar_type_name(kind) AS CASE kind WHEN 'BIGINT' THEN 'INT64' WHEN 'DOUBLE' THEN 'FLOAT64' WHEN 'VARCHAR' THEN 'STRING'
    WHEN 'BOOLEAN' THEN 'BOOL' WHEN 'BLOB' THEN 'BYTES' WHEN 'DECIMAL(38,9)' THEN 'NUMERIC' WHEN 'UBIGINT[4]' THEN 'BIGNUMERIC' WHEN 'TIMESTAMP' THEN 'DATETIME'
    WHEN 'TIMESTAMP WITH TIME ZONE' THEN 'TIMESTAMP' WHEN 'DATE' THEN 'DATE' WHEN 'TIME' THEN 'TIME' WHEN 'JSON' THEN 'JSON' WHEN 'INTERVAL' THEN 'INTERVAL'
    WHEN 'INTEGER' THEN 'INT64' ELSE CAST(CAST('INFORMATION_SCHEMA does not name the type ' || kind AS BIGINT) AS VARCHAR) END;
CREATE OR REPLACE MACRO googlesql.type_name(kind) AS CASE WHEN ends_with(kind, '[]') THEN 'ARRAY<' || googlesql.scalar_type_name(left(kind, -2)) || '>'
    ELSE googlesql.scalar_type_name(kind) END;
-- TYPEOF: DuckDB's name of a type in BigQuery's words.
CREATE OR REPLACE MACRO googlesql.type_words(t) AS list_transform([t], lambda v: replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(v, 'UBIGINT[4]', 'BIGNUMERIC'),
    'TIMESTAMP WITH TIME ZONE', 'INSTANT'), 'TIMESTAMP', 'DATETIME'), 'INSTANT', 'TIMESTAMP'), 'BIGINT', 'INT64'), 'INTEGER', 'INT64'), 'DOUBLE', 'FLOAT64'), 'VARCHAR', 'STRING'),
    'DECIMAL(38,9)', 'NUMERIC'), 'BLOB', 'BYTES'), 'BOOLEAN', 'BOOL'), '"NULL"', 'INT64'))[1];
CREATE OR REPLACE MACRO googlesql.type_of(a) AS list_transform([googlesql.type_words(typeof(a))], lambda v: regexp_replace(translate(
    regexp_replace(regexp_replace(v, 'STRUCT\("range\$start" (\w+), "range\$end" \w+\)', 'RANGE(\1)', 'g'), '([A-Z0-9]+)\[\]', 'ARRAY(\1)', 'g'), '()', '<>'), '(STRUCT<[^<>]*(?:<[^<>]*>[^<>]*)*>)\[\]', 'ARRAY<\1>', 'g'))[1];
