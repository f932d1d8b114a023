-- Arrays. BigQuery counts from 0 with OFFSET, from 1 with ORDINAL; out of bounds is an error.
CREATE OR REPLACE MACRO googlesql.element_at_offset(a, n) AS a[list_transform([struct_pack(c := CAST(len(a) AS BIGINT), n := CAST(n AS BIGINT))], lambda v:
    CASE WHEN v.n >= 0 AND v.n < v.c THEN v.n + 1 WHEN v.n < 0 OR v.n >= v.c THEN CAST('Array index ' || v.n || ' is out of bounds' AS BIGINT) END)[1]];
CREATE OR REPLACE MACRO googlesql.element_at_ordinal(a, n) AS a[list_transform([struct_pack(c := CAST(len(a) AS BIGINT), n := CAST(n AS BIGINT))], lambda v:
    CASE WHEN v.n >= 1 AND v.n <= v.c THEN v.n WHEN v.n < 1 OR v.n > v.c THEN CAST('Array index ' || v.n || ' is out of bounds' AS BIGINT) END)[1]];
CREATE OR REPLACE MACRO googlesql.safe_element_at_offset(a, n) AS a[CASE WHEN n >= 0 THEN n + 1 END];
CREATE OR REPLACE MACRO googlesql.safe_element_at_ordinal(a, n) AS a[CASE WHEN n >= 1 THEN n END];
CREATE OR REPLACE MACRO googlesql.first_elements(a, n) AS a[1:n];
CREATE OR REPLACE MACRO googlesql.array_length(a) AS CAST(len(a) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.array_to_string(a, separator, replacement := NULL) AS
    CASE WHEN a IS NOT NULL AND separator IS NOT NULL
        THEN coalesce(list_aggregate(list_transform(a, lambda v: coalesce(v, replacement)), 'string_agg', separator), '') END;
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
    (a DOUBLE, b DOUBLE, step DOUBLE) AS list_transform(range(0, CAST(floor((b - a) / step + 1e-9) AS BIGINT) + 1), lambda v: a + v * step);
