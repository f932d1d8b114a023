-- RANGE: a struct of two values, of which an infinite one stands for UNBOUNDED, so that ranges compare as in BigQuery.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/range-functions
CREATE OR REPLACE MACRO googlesql.range_between(first, last) AS list_transform([struct_pack(a := first, b := last)], lambda "v$range": struct_pack(
    "range$start" := CASE WHEN "v$range".a >= "v$range".b THEN cast_to_type('Invalid range: its start must be before its end: [' || "v$range".a || ', ' || "v$range".b || ')', "v$range".a) ELSE "v$range".a END,
    "range$end" := "v$range".b))[1];
CREATE OR REPLACE MACRO googlesql.range_of(first, last) AS list_transform([struct_pack(a := first, b := last)], lambda "v$bounds": googlesql.range_between(
    coalesce("v$bounds".a, cast_to_type('-infinity', coalesce("v$bounds".a, "v$bounds".b))), coalesce("v$bounds".b, cast_to_type('infinity', coalesce("v$bounds".a, "v$bounds".b)))))[1];
-- One bound of a range that is written as text; NULL for none.
CREATE OR REPLACE MACRO googlesql.range_text(a, place) AS list_transform([CAST(a AS VARCHAR)], lambda "t$range": CASE
    WHEN "t$range" IS NOT NULL AND NOT regexp_full_match("t$range", '\[[^,\[\)]+, [^,\[\)]+\)') THEN CAST(CAST('Invalid range: ' || "t$range" AS BIGINT) AS VARCHAR)
    WHEN upper(regexp_extract("t$range", '\[([^,]+), ([^,]+)\)', place)) NOT IN ('UNBOUNDED', 'NULL') THEN regexp_extract("t$range", '\[([^,]+), ([^,]+)\)', place) END)[1];
CREATE OR REPLACE MACRO googlesql.range_first(r) AS struct_extract(r, 'range$start');
CREATE OR REPLACE MACRO googlesql.range_last(r) AS struct_extract(r, 'range$end');
CREATE OR REPLACE MACRO googlesql.range_start(r) AS list_transform([googlesql.range_first(r)], lambda "v$range": CASE WHEN "v$range" <> cast_to_type('infinity', "v$range") AND "v$range" <> cast_to_type('-infinity', "v$range") THEN "v$range" END)[1];
CREATE OR REPLACE MACRO googlesql.range_end(r) AS list_transform([googlesql.range_last(r)], lambda "v$range": CASE WHEN "v$range" <> cast_to_type('infinity', "v$range") AND "v$range" <> cast_to_type('-infinity', "v$range") THEN "v$range" END)[1];
CREATE OR REPLACE MACRO googlesql.range_holds(r, x) AS list_transform([struct_pack(r := r, x := x)], lambda "v$range": "v$range".x >= googlesql.range_first("v$range".r) AND "v$range".x < googlesql.range_last("v$range".r))[1];
CREATE OR REPLACE MACRO googlesql.range_covers(a, b) AS list_transform([struct_pack(a := a, b := b)], lambda "v$range":
    googlesql.range_first("v$range".b) >= googlesql.range_first("v$range".a) AND googlesql.range_last("v$range".b) <= googlesql.range_last("v$range".a))[1];
CREATE OR REPLACE MACRO googlesql.range_contains(r, x DATE) AS googlesql.range_holds(r, x), (r, x TIMESTAMP) AS googlesql.range_holds(r, x), (r, x TIMESTAMPTZ) AS googlesql.range_holds(r, x),
    (r, x STRUCT("range$start" DATE, "range$end" DATE)) AS googlesql.range_covers(r, x),
    (r, x STRUCT("range$start" TIMESTAMP, "range$end" TIMESTAMP)) AS googlesql.range_covers(r, x),
    (r, x STRUCT("range$start" TIMESTAMPTZ, "range$end" TIMESTAMPTZ)) AS googlesql.range_covers(r, x);
CREATE OR REPLACE MACRO googlesql.range_overlaps(a, b) AS list_transform([struct_pack(a := a, b := b)], lambda "v$range":
    googlesql.range_first("v$range".a) < googlesql.range_last("v$range".b) AND googlesql.range_first("v$range".b) < googlesql.range_last("v$range".a))[1];
CREATE OR REPLACE MACRO googlesql.range_intersect(a, b) AS list_transform([struct_pack(a := a, b := b)], lambda "v$both": CASE WHEN "v$both".a IS NOT NULL AND "v$both".b IS NOT NULL THEN googlesql.range_between(
    greatest(googlesql.range_first("v$both".a), googlesql.range_first("v$both".b)), least(googlesql.range_last("v$both".a), googlesql.range_last("v$both".b))) END)[1];
-- Ranges of one step, counted from the start; the last one may be shorter, and is left out unless `partial`.
CREATE OR REPLACE MACRO googlesql.range_steps(first, last, step, partial) AS list_transform([struct_pack(a := first, b := last, s := step)], lambda "v$steps": CASE
    WHEN NOT isfinite("v$steps".a) OR NOT isfinite("v$steps".b) THEN [CAST('Invalid range: GENERATE_RANGE_ARRAY takes no unbounded one' AS TIMESTAMP)]
    WHEN "v$steps".s <= to_days(0) THEN [CAST('Invalid step: GENERATE_RANGE_ARRAY takes a positive one' AS TIMESTAMP)]
    WHEN "v$steps".a IS NOT NULL THEN list_filter(list_transform(range(0, len(generate_series("v$steps".a, "v$steps".b, "v$steps".s)) + 2), lambda "i$steps": "v$steps".a + "v$steps".s * CAST("i$steps" AS INTEGER)),
        lambda "x$steps": CASE WHEN partial THEN "x$steps" < "v$steps".b ELSE "x$steps" + "v$steps".s <= "v$steps".b END) END)[1];
CREATE OR REPLACE MACRO googlesql.generate_range_array(r STRUCT("range$start" DATE, "range$end" DATE), step, partial) AS list_transform([struct_pack(e := googlesql.range_last(r),
        l := googlesql.range_steps(CAST(googlesql.range_first(r) AS TIMESTAMP), CAST(googlesql.range_last(r) AS TIMESTAMP), step, partial))], lambda "v$array":
        list_transform("v$array".l, lambda "x$array", "i$array": struct_pack("range$start" := CAST("x$array" AS DATE), "range$end" := least(coalesce(CAST("v$array".l["i$array" + 1] AS DATE), CAST("x$array" + step AS DATE)), "v$array".e))))[1],
    (r STRUCT("range$start" TIMESTAMP, "range$end" TIMESTAMP), step, partial) AS list_transform([struct_pack(e := googlesql.range_last(r),
        l := googlesql.range_steps(googlesql.range_first(r), googlesql.range_last(r), step, partial))], lambda "v$array":
        list_transform("v$array".l, lambda "x$array", "i$array": struct_pack("range$start" := "x$array", "range$end" := least(coalesce("v$array".l["i$array" + 1], "x$array" + step), "v$array".e))))[1],
    (r STRUCT("range$start" TIMESTAMPTZ, "range$end" TIMESTAMPTZ), step, partial) AS list_transform([struct_pack(e := googlesql.range_last(r),
        l := googlesql.range_steps(CASE WHEN isfinite(googlesql.range_first(r)) THEN make_timestamp(epoch_us(googlesql.range_first(r))) ELSE CAST('infinity' AS TIMESTAMP) END,
            CASE WHEN isfinite(googlesql.range_last(r)) THEN make_timestamp(epoch_us(googlesql.range_last(r))) ELSE CAST('infinity' AS TIMESTAMP) END, step, partial))], lambda "v$array":
        list_transform("v$array".l, lambda "x$array", "i$array": struct_pack("range$start" := googlesql.utc("x$array"), "range$end" := least(googlesql.utc(coalesce("v$array".l["i$array" + 1], "x$array" + step)), "v$array".e))))[1];
