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
