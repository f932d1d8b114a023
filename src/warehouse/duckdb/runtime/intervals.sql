-- Intervals: months, days and microseconds. https://cloud.google.com/bigquery/docs/reference/standard-sql/interval_functions
CREATE OR REPLACE MACRO googlesql.interval_year(i) AS CAST(date_part('year', i) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.interval_month(i) AS CAST(date_part('month', i) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.interval_day(i) AS CAST(date_part('day', i) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.interval_hour(i) AS CAST(date_part('hour', i) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.interval_minute(i) AS CAST(date_part('minute', i) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.interval_second(i) AS CAST(date_part('second', i) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.interval_microsecond(i) AS CAST(date_part('microsecond', i) % 1000000 AS BIGINT);
CREATE OR REPLACE MACRO googlesql.interval_millisecond(i) AS googlesql.interval_microsecond(i) // 1000;
CREATE OR REPLACE MACRO googlesql.interval_micros(i) AS (CAST(date_part('hour', i) AS BIGINT) * 3600 + CAST(date_part('minute', i) AS BIGINT) * 60) * 1000000 + CAST(date_part('microsecond', i) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.interval_of(months, days, micros) AS to_months(CAST(months AS INTEGER)) + to_days(CAST(days AS INTEGER)) + to_microseconds(CAST(micros AS BIGINT));
CREATE OR REPLACE MACRO googlesql.make_interval(years, months, days, hours, minutes, seconds) AS googlesql.interval_of(years * 12 + months, days, ((hours * 60 + minutes) * 60 + seconds) * 1000000);
-- 30 days are a month, 24 hours a day; neighbouring parts have one sign in the end, as in PostgreSQL, which has these functions too.
CREATE OR REPLACE MACRO googlesql.interval_parts(i) AS struct_pack(m := googlesql.interval_year(i) * 12 + googlesql.interval_month(i), d := googlesql.interval_day(i), u := googlesql.interval_micros(i));
CREATE OR REPLACE MACRO googlesql.carried_days(p) AS list_transform([p], lambda "p$days": struct_pack(m := "p$days".m + "p$days".d // 30, d := "p$days".d % 30, u := "p$days".u))[1];
CREATE OR REPLACE MACRO googlesql.carried_hours(p) AS list_transform([p], lambda "p$hours": struct_pack(m := "p$hours".m, d := "p$hours".d + "p$hours".u // 86400000000, u := "p$hours".u % 86400000000))[1];
CREATE OR REPLACE MACRO googlesql.one_sign_of_months(p) AS list_transform([p], lambda "p$months": CASE
    WHEN "p$months".m > 0 AND ("p$months".d < 0 OR "p$months".d = 0 AND "p$months".u < 0) THEN struct_pack(m := "p$months".m - 1, d := "p$months".d + 30, u := "p$months".u)
    WHEN "p$months".m < 0 AND ("p$months".d > 0 OR "p$months".d = 0 AND "p$months".u > 0) THEN struct_pack(m := "p$months".m + 1, d := "p$months".d - 30, u := "p$months".u)
    ELSE "p$months" END)[1];
CREATE OR REPLACE MACRO googlesql.one_sign_of_days(p) AS list_transform([p], lambda "p$sign": CASE
    WHEN "p$sign".d > 0 AND "p$sign".u < 0 THEN struct_pack(m := "p$sign".m, d := "p$sign".d - 1, u := "p$sign".u + 86400000000)
    WHEN "p$sign".d < 0 AND "p$sign".u > 0 THEN struct_pack(m := "p$sign".m, d := "p$sign".d + 1, u := "p$sign".u - 86400000000)
    ELSE "p$sign" END)[1];
CREATE OR REPLACE MACRO googlesql.interval_of_parts(p) AS list_transform([p], lambda "p$whole": googlesql.interval_of("p$whole".m, "p$whole".d, "p$whole".u))[1];
CREATE OR REPLACE MACRO googlesql.justify_days(i) AS list_transform([googlesql.carried_days(googlesql.interval_parts(i))], lambda "p$justify": googlesql.interval_of_parts(CASE
    WHEN "p$justify".m > 0 AND "p$justify".d < 0 THEN struct_pack(m := "p$justify".m - 1, d := "p$justify".d + 30, u := "p$justify".u)
    WHEN "p$justify".m < 0 AND "p$justify".d > 0 THEN struct_pack(m := "p$justify".m + 1, d := "p$justify".d - 30, u := "p$justify".u) ELSE "p$justify" END))[1];
CREATE OR REPLACE MACRO googlesql.justify_hours(i) AS googlesql.interval_of_parts(googlesql.one_sign_of_days(googlesql.carried_hours(googlesql.interval_parts(i))));
CREATE OR REPLACE MACRO googlesql.justify_interval(i) AS googlesql.interval_of_parts(googlesql.one_sign_of_days(googlesql.one_sign_of_months(googlesql.carried_days(googlesql.carried_hours(googlesql.interval_parts(i))))));
-- CAST from text: `Y-M D H:M:S`, a beginning of it down to `Y-M`, `D H:M[:S]`, `H:M:S`, and ISO 8601's `P1Y2M3DT4H5M6S`.
-- NULL for what is none, and beyond 10,000 years. https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_functions#cast-interval
CREATE OR REPLACE MACRO googlesql.whole_of(t) AS coalesce(TRY_CAST(nullif(t, '') AS HUGEINT), CASE WHEN t = '' THEN 0 END);
CREATE OR REPLACE MACRO googlesql.sign_of(t) AS CASE WHEN starts_with(t, '-') THEN -1 ELSE 1 END;
CREATE OR REPLACE MACRO googlesql.micros_of(t) AS googlesql.sign_of(t) * (googlesql.whole_of(regexp_extract(t, '^[+-]?([0-9]+)', 1)) * 3600000000
    + googlesql.whole_of(regexp_extract(t, '^[^:]*:([0-9]+)', 1)) * 60000000 + googlesql.whole_of(regexp_extract(t, ':[0-9]+:([0-9]+)', 1)) * 1000000
    + googlesql.whole_of(rpad(regexp_extract(t, '\.([0-9]+)$', 1), 6, '0')));
CREATE OR REPLACE MACRO googlesql.interval_within(m, d, u) AS list_transform([struct_pack(m := m, d := d, u := u)], lambda "p$within":
    CASE WHEN abs("p$within".m) <= 120000 AND abs("p$within".d) <= 3660000 AND abs("p$within".u) <= 316224000000000000 THEN googlesql.interval_of("p$within".m, "p$within".d, "p$within".u) END)[1];
CREATE OR REPLACE MACRO googlesql.interval_of_words(p) AS list_transform([p], lambda "p$words": googlesql.interval_within(
    googlesql.sign_of("p$words".ym) * (googlesql.whole_of(regexp_extract("p$words".ym, '^[+-]?([0-9]+)-', 1)) * 12 + googlesql.whole_of(regexp_extract("p$words".ym, '-([0-9]+)$', 1))),
    googlesql.whole_of("p$words".d), googlesql.micros_of("p$words".t)))[1];
CREATE OR REPLACE MACRO googlesql.iso_second(t) AS googlesql.sign_of(t) * (googlesql.whole_of(regexp_extract(t, '^[+-]?([0-9]+)', 1)) * 1000000 + googlesql.whole_of(rpad(regexp_extract(t, '\.([0-9]+)$', 1), 6, '0')));
CREATE OR REPLACE MACRO googlesql.interval_of_iso(p) AS list_transform([p], lambda "p$iso": googlesql.interval_within(
    googlesql.whole_of("p$iso".y) * 12 + googlesql.whole_of("p$iso".m), googlesql.whole_of("p$iso".w) * 7 + googlesql.whole_of("p$iso".d),
    googlesql.whole_of("p$iso".h) * 3600000000 + googlesql.whole_of("p$iso".i) * 60000000 + googlesql.iso_second("p$iso".s)))[1];
CREATE OR REPLACE MACRO googlesql.interval_text(v) AS CASE
    WHEN starts_with(v, 'P') THEN CASE WHEN regexp_full_match(v, 'P([+-]?[0-9]+Y)?([+-]?[0-9]+M)?([+-]?[0-9]+W)?([+-]?[0-9]+D)?(T([+-]?[0-9]+H)?([+-]?[0-9]+M)?([+-]?[0-9]+(\.[0-9]{1,6})?S)?)?') AND v <> 'P' THEN
        googlesql.interval_of_iso(regexp_extract(v, '^P(?:([+-]?[0-9]+)Y)?(?:([+-]?[0-9]+)M)?(?:([+-]?[0-9]+)W)?(?:([+-]?[0-9]+)D)?(?:T(?:([+-]?[0-9]+)H)?(?:([+-]?[0-9]+)M)?(?:([+-]?[0-9.]+)S)?)?$', ['y', 'm', 'w', 'd', 'h', 'i', 's'])) END
    WHEN regexp_matches(v, '^[+-]?[0-9]+-') THEN CASE WHEN regexp_full_match(v, '[+-]?[0-9]+-[0-9]+( [+-]?[0-9]+( [+-]?[0-9]+(:[0-9]+(:[0-9]+(\.[0-9]{1,6})?)?)?)?)?') THEN
        googlesql.interval_of_words(regexp_extract(v, '^([+-]?[0-9]+-[0-9]+)(?: ([+-]?[0-9]+))?(?: ([+-]?[0-9:.]+))?$', ['ym', 'd', 't'])) END
    WHEN regexp_full_match(v, '[+-]?[0-9]+ [+-]?[0-9]+:[0-9]+(:[0-9]+(\.[0-9]{1,6})?)?|[+-]?[0-9]+:[0-9]+:[0-9]+(\.[0-9]{1,6})?') THEN
        googlesql.interval_of_words(regexp_extract(v, '^()(?:([+-]?[0-9]+) )?([+-]?[0-9:.]+)$', ['ym', 'd', 't'])) END;
CREATE OR REPLACE MACRO googlesql.safe_as_interval(a VARCHAR) AS list_transform([a], lambda "v$interval_text": googlesql.interval_text("v$interval_text"))[1], (a INTERVAL) AS a;
CREATE OR REPLACE MACRO googlesql.as_interval(a VARCHAR) AS list_transform([a], lambda "v$interval_text": coalesce(googlesql.interval_text("v$interval_text"),
    to_days(CAST(CAST('Invalid INTERVAL value: ' || "v$interval_text" AS BIGINT) AS INTEGER))))[1], (a INTERVAL) AS a;
-- A quotient: what is left of the months becomes days, and what is left of the days hours.
CREATE OR REPLACE MACRO googlesql.interval_over(m, d, u, n) AS list_transform([struct_pack(m := CAST(m AS HUGEINT), d := CAST(d AS HUGEINT), u := CAST(u AS HUGEINT),
    n := CASE WHEN n = 0 THEN CAST('division by zero' AS BIGINT) ELSE n END)], lambda "p$over": list_transform([struct_pack(m := "p$over".m // "p$over".n,
    d := "p$over".d + "p$over".m % "p$over".n * 30, u := "p$over".u, n := "p$over".n)], lambda "p$rest":
    googlesql.interval_of("p$rest".m, "p$rest".d // "p$rest".n, ("p$rest".u + "p$rest".d % "p$rest".n * 86400000000) // "p$rest".n))[1])[1];
CREATE OR REPLACE MACRO googlesql.divide_interval(i, n) AS list_transform([struct_pack(p := googlesql.interval_parts(i), n := n)], lambda "p$divided":
    googlesql.interval_over("p$divided".p.m, "p$divided".p.d, "p$divided".p.u, "p$divided".n))[1];
