-- Arrays. BigQuery counts from 0 with OFFSET, from 1 with ORDINAL; out of bounds is an error.
-- JSON counts from 0 in DuckDB too, and has NULL where there is no element. Text has no elements.
CREATE OR REPLACE MACRO googlesql.element_at_offset(a, n) AS a[list_transform([struct_pack(c := CAST(len(a) AS BIGINT), n := CAST(n AS BIGINT))], lambda v: CASE
    WHEN v.c IS NULL THEN NULL WHEN typeof(a) = 'JSON' THEN CASE WHEN v.n >= 0 THEN v.n END
    WHEN v.n >= 0 AND v.n < v.c AND typeof(a) <> 'VARCHAR' THEN v.n + 1 WHEN v.n IS NOT NULL THEN CAST('Array index ' || v.n || ' is out of bounds' AS BIGINT) END)[1]];
CREATE OR REPLACE MACRO googlesql.element_at_ordinal(a, n) AS a[list_transform([struct_pack(c := CAST(array_length(a, 1) AS BIGINT), n := CAST(n AS BIGINT))], lambda v:
    CASE WHEN v.c IS NULL THEN NULL WHEN v.n >= 1 AND v.n <= v.c THEN v.n WHEN v.n < 1 OR v.n > v.c THEN CAST('Array index ' || v.n || ' is out of bounds' AS BIGINT) END)[1]];
CREATE OR REPLACE MACRO googlesql.safe_element_at_offset(a, n) AS a[CASE WHEN n >= 0 THEN n + 1 END];
CREATE OR REPLACE MACRO googlesql.safe_element_at_ordinal(a, n) AS a[CASE WHEN n >= 1 THEN n END];
CREATE OR REPLACE MACRO googlesql.first_elements(a, n) AS a[1:n];
CREATE OR REPLACE MACRO googlesql.array_length(a) AS CAST(len(a) AS BIGINT);
-- The separator need not be a constant, as string_agg() wants it.
CREATE OR REPLACE MACRO googlesql.joined(a, separator) AS coalesce(substring(list_aggregate(list_transform(a, lambda w: separator || w), 'string_agg', ''), length(separator) + 1), '');
CREATE OR REPLACE MACRO googlesql.array_to_string(a VARCHAR[], separator VARCHAR) AS list_transform([struct_pack(a := a, s := separator)], lambda v:
        CASE WHEN v.a IS NOT NULL AND v.s IS NOT NULL THEN googlesql.joined(v.a, v.s) END)[1],
    (a VARCHAR[], separator VARCHAR, replacement VARCHAR) AS list_transform([struct_pack(a := a, s := separator, r := replacement)], lambda v:
        CASE WHEN v.a IS NOT NULL AND v.s IS NOT NULL AND v.r IS NOT NULL THEN googlesql.joined(list_transform(v.a, lambda e: coalesce(e, v.r)), v.s) END)[1],
    (a BLOB[], separator BLOB) AS list_transform([struct_pack(a := list_transform(a, lambda e: googlesql.spread(e)), s := googlesql.spread(separator))], lambda v:
        CASE WHEN v.a IS NOT NULL AND v.s IS NOT NULL THEN googlesql.gather(googlesql.joined(v.a, v.s)) END)[1],
    (a BLOB[], separator BLOB, replacement BLOB) AS list_transform([struct_pack(a := list_transform(a, lambda e: googlesql.spread(e)), s := googlesql.spread(separator), r := googlesql.spread(replacement))], lambda v:
        CASE WHEN v.a IS NOT NULL AND v.s IS NOT NULL AND v.r IS NOT NULL THEN googlesql.gather(googlesql.joined(list_transform(v.a, lambda e: coalesce(e, v.r)), v.s)) END)[1];
CREATE OR REPLACE MACRO googlesql.array_concat(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN list_concat(a, b) END;
CREATE OR REPLACE MACRO googlesql.array_reverse(a) AS list_reverse(a);
CREATE OR REPLACE MACRO googlesql.array_first(a) AS googlesql.element_at_offset(a, 0);
CREATE OR REPLACE MACRO googlesql.array_last(a) AS googlesql.element_at_ordinal(a, len(a));
CREATE OR REPLACE MACRO googlesql.in_array(a, list) AS
    CASE WHEN list IS NULL OR len(list) = 0 THEN FALSE
         WHEN a IS NULL THEN NULL
         WHEN list_contains(list, a) THEN TRUE
         WHEN len(list) > len(list_filter(list, lambda v: v IS NOT NULL)) THEN NULL
         ELSE FALSE END;
CREATE OR REPLACE MACRO googlesql.sequence_step(step) AS CASE WHEN step = 0 THEN CAST('Sequence step cannot be 0.' AS BIGINT) ELSE step END;
CREATE OR REPLACE MACRO googlesql.generate_array(a, b) AS generate_series(CAST(a AS BIGINT), CAST(b AS BIGINT)),
    (a BIGINT, b BIGINT, step BIGINT) AS generate_series(a, b, googlesql.sequence_step(step)),
    (a DOUBLE, b DOUBLE, step DOUBLE) AS list_transform([struct_pack(a := a, b := b, s := CASE WHEN step = 0 THEN CAST('Sequence step cannot be 0.' AS DOUBLE) ELSE step END)], lambda v:
        CASE WHEN v.b < v.a AND v.s > 0 OR v.b > v.a AND v.s < 0 THEN CAST([] AS DOUBLE[])
            ELSE list_transform(range(0, CAST(floor((v.b - v.a) / v.s + 1e-9) AS BIGINT) + 1), lambda i: v.a + i * v.s) END)[1],
    (a DECIMAL(38,9), b DECIMAL(38,9), step DECIMAL(38,9)) AS list_transform([struct_pack(a := a, b := b, s := CASE WHEN step = 0 THEN CAST('Sequence step cannot be 0.' AS DECIMAL(38,9)) ELSE step END)], lambda v:
        CASE WHEN v.b < v.a AND v.s > 0 OR v.b > v.a AND v.s < 0 THEN CAST([] AS DECIMAL(38,9)[])
            ELSE list_transform(range(0, CAST(trunc(googlesql.divide_exactly(v.b - v.a, v.s)) AS BIGINT) + 1), lambda i: CAST(v.a + i * v.s AS DECIMAL(38,9))) END)[1];
CREATE OR REPLACE MACRO googlesql.array_is_distinct(a) AS list_transform([a], lambda v: len(list_distinct(v)) + CASE WHEN len(list_filter(v, lambda e: e IS NULL)) > 0 THEN 1 ELSE 0 END = len(v))[1];
-- From one place to another, both counted from 0, or from the end if they are negative.
CREATE OR REPLACE MACRO googlesql.array_slice(a, first, last) AS list_transform([struct_pack(a := a, c := CAST(len(a) AS BIGINT), f := CAST(first AS BIGINT), l := CAST(last AS BIGINT))], lambda v:
    CASE WHEN v.a IS NULL OR v.f IS NULL OR v.l IS NULL THEN NULL
        WHEN CASE WHEN v.l < 0 THEN v.l + v.c ELSE v.l END < 0 THEN v.a[1:0]
        ELSE v.a[greatest(CASE WHEN v.f < 0 THEN v.f + v.c ELSE v.f END, 0) + 1:CASE WHEN v.l < 0 THEN v.l + v.c ELSE v.l END + 1] END)[1];
