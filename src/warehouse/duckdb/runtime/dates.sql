-- Dates and times. A TIMESTAMP (TIMESTAMPTZ) is read and written in UTC by way of its microseconds, never by a cast,
-- which would follow the session's time zone where ICU is loaded and exist in another form where it is not.

-- What a clock in UTC shows; for a TIME, on an arbitrary day.
CREATE OR REPLACE MACRO googlesql.clock(a DATE) AS CAST(a AS TIMESTAMP), (a TIMESTAMP) AS a,
    (a TIMESTAMPTZ) AS make_timestamp(epoch_us(a)), (a TIME) AS DATE '1970-01-01' + a, (a INTERVAL) AS a;

-- Years to microseconds are parts of an INTERVAL too, which has no clock but itself.
CREATE OR REPLACE MACRO googlesql.extract_year(clock) AS CAST(year(clock) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.extract_quarter(clock TIMESTAMP) AS CAST(quarter(clock) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.extract_month(clock) AS CAST(month(clock) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.extract_day(clock) AS CAST(day(clock) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.extract_dayofweek(clock TIMESTAMP) AS CAST(dayofweek(clock) AS BIGINT) + 1;
CREATE OR REPLACE MACRO googlesql.extract_dayofyear(clock TIMESTAMP) AS CAST(dayofyear(clock) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.extract_isoyear(clock TIMESTAMP) AS CAST(isoyear(clock) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.extract_isoweek(clock TIMESTAMP) AS CAST(weekofyear(clock) AS BIGINT);
-- Weeks begin on the day `start`, 0 for Sunday; days before the first such day of the year are in week 0.
CREATE OR REPLACE MACRO googlesql.extract_week(clock TIMESTAMP, start) AS list_transform([clock], lambda v:
    CAST((dayofyear(v) + 6 - (dayofweek(v) - start + 7) % 7) // 7 AS BIGINT))[1];
CREATE OR REPLACE MACRO googlesql.extract_hour(clock) AS CAST(hour(clock) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.extract_minute(clock) AS CAST(minute(clock) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.extract_second(clock) AS CAST(second(clock) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.extract_millisecond(clock) AS CAST(millisecond(clock) AS BIGINT) % 1000;
CREATE OR REPLACE MACRO googlesql.extract_microsecond(clock) AS CAST(microsecond(clock) AS BIGINT) % 1000000;
CREATE OR REPLACE MACRO googlesql.extract_date(clock TIMESTAMP) AS CAST(clock AS DATE);
CREATE OR REPLACE MACRO googlesql.extract_datetime(clock TIMESTAMP) AS clock;
CREATE OR REPLACE MACRO googlesql.extract_time(clock TIMESTAMP) AS CAST(clock AS TIME);

CREATE OR REPLACE MACRO googlesql.truncate(part, a DATE) AS CAST(date_trunc(part, a) AS DATE),
    (part, a TIMESTAMP) AS date_trunc(part, a),
    (part, a TIMESTAMPTZ) AS googlesql.utc(date_trunc(part, make_timestamp(epoch_us(a)))),
    (part, a TIME) AS CAST(date_trunc(part, DATE '1970-01-01' + a) AS TIME);
-- DuckDB's weeks begin on Monday: `shift` days move the wanted first day there and back.
CREATE OR REPLACE MACRO googlesql.truncate_week(shift, a DATE) AS googlesql.dated(CAST(date_trunc('week', a + to_days(shift)) - to_days(shift) AS DATE)),
    (shift, a TIMESTAMP) AS googlesql.clocked(date_trunc('week', a + to_days(shift)) - to_days(shift)),
    (shift, a TIMESTAMPTZ) AS googlesql.utc_clocked(date_trunc('week', make_timestamp(epoch_us(a)) + to_days(shift)) - to_days(shift));
CREATE OR REPLACE MACRO googlesql.last_day(part, length, clock TIMESTAMP) AS
    CAST(date_trunc(part, clock) + length - to_days(1) AS DATE);
CREATE OR REPLACE MACRO googlesql.last_day_of_week(shift, clock TIMESTAMP) AS
    googlesql.dated(CAST(date_trunc('week', clock + to_days(shift)) - to_days(shift) + to_days(6) AS DATE));
CREATE OR REPLACE MACRO googlesql.last_day_of_isoyear(clock TIMESTAMP) AS
    list_transform([date_trunc('isoyear', clock)], lambda v: googlesql.dated(CAST(date_trunc('isoyear', v + to_days(380)) - to_days(1) AS DATE)))[1];

-- Between DATEs, DATETIMEs and TIMEs boundaries are counted; between TIMESTAMPs, whole units that have passed.
CREATE OR REPLACE MACRO googlesql.difference(part, unit, a DATE, b DATE) AS date_diff(part, b, a),
    (part, unit, a TIMESTAMP, b TIMESTAMP) AS date_diff(part, b, a),
    (part, unit, a TIMESTAMPTZ, b TIMESTAMPTZ) AS (epoch_us(a) - epoch_us(b)) // unit,
    (part, unit, a TIME, b TIME) AS date_diff(part, DATE '1970-01-01' + b, DATE '1970-01-01' + a);
CREATE OR REPLACE MACRO googlesql.week_difference(shift, a DATE, b DATE) AS
        date_diff('day', date_trunc('week', b + to_days(shift)), date_trunc('week', a + to_days(shift))) // 7,
    (shift, a TIMESTAMP, b TIMESTAMP) AS
        date_diff('day', date_trunc('week', b + to_days(shift)), date_trunc('week', a + to_days(shift))) // 7;

CREATE OR REPLACE MACRO googlesql.add_interval(a DATE, i) AS googlesql.dated(CAST(a + i AS DATE)), (a TIMESTAMP, i) AS googlesql.clocked(a + i),
    (a TIMESTAMPTZ, i) AS googlesql.utc_clocked(make_timestamp(epoch_us(a)) + i), (a TIME, i) AS a + i, (a INTERVAL, i) AS a + i;
CREATE OR REPLACE MACRO googlesql.subtract_interval(a DATE, i) AS googlesql.dated(CAST(a - i AS DATE)), (a TIMESTAMP, i) AS googlesql.clocked(a - i),
    (a TIMESTAMPTZ, i) AS googlesql.utc_clocked(make_timestamp(epoch_us(a)) - i), (a TIME, i) AS a - i, (a INTERVAL, i) AS a - i;
-- DATE plus an interval literal is a DATETIME, unlike DATE_ADD.
CREATE OR REPLACE MACRO googlesql.plus_interval(a DATE, i) AS googlesql.clocked(CAST(a AS TIMESTAMP) + i), (a TIMESTAMP, i) AS googlesql.clocked(a + i),
    (a TIMESTAMPTZ, i) AS googlesql.utc_clocked(make_timestamp(epoch_us(a)) + i), (a INTERVAL, i) AS a + i;
CREATE OR REPLACE MACRO googlesql.minus_interval(a DATE, i) AS googlesql.clocked(CAST(a AS TIMESTAMP) - i), (a TIMESTAMP, i) AS googlesql.clocked(a - i),
    (a TIMESTAMPTZ, i) AS googlesql.utc_clocked(make_timestamp(epoch_us(a)) - i), (a INTERVAL, i) AS a - i;

CREATE OR REPLACE MACRO googlesql.unix_date(a) AS CAST(date_diff('day', DATE '1970-01-01', a) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.date_from_unix_date(n) AS googlesql.dated(DATE '1970-01-01' + CAST(n AS INTEGER));
CREATE OR REPLACE MACRO googlesql.unix_micros(a) AS epoch_us(a);
CREATE OR REPLACE MACRO googlesql.unix_millis(a) AS CAST(epoch_us(date_trunc('millisecond', make_timestamp(epoch_us(a)))) // 1000 AS BIGINT);
CREATE OR REPLACE MACRO googlesql.unix_seconds(a) AS CAST(epoch_us(date_trunc('second', make_timestamp(epoch_us(a)))) // 1000000 AS BIGINT);
CREATE OR REPLACE MACRO googlesql.timestamp_micros(n) AS googlesql.utc_clocked(make_timestamp(n));
CREATE OR REPLACE MACRO googlesql.timestamp_millis(n) AS googlesql.utc_clocked(make_timestamp(n * 1000));
CREATE OR REPLACE MACRO googlesql.timestamp_seconds(n) AS googlesql.utc_clocked(make_timestamp(n * 1000000));
CREATE OR REPLACE MACRO googlesql.current_timestamp() AS now();
CREATE OR REPLACE MACRO googlesql.current_datetime() AS make_timestamp(epoch_us(now()));
CREATE OR REPLACE MACRO googlesql.current_date() AS CAST(make_timestamp(epoch_us(now())) AS DATE);
CREATE OR REPLACE MACRO googlesql.current_time() AS CAST(make_timestamp(epoch_us(now())) AS TIME);

CREATE OR REPLACE MACRO googlesql.parse_date(format, a) AS googlesql.dated(CAST(strptime(googlesql.trim(a), format) AS DATE));
CREATE OR REPLACE MACRO googlesql.parse_datetime(format, a) AS googlesql.clocked(CAST(strptime(googlesql.trim(a), format) AS TIMESTAMP));
CREATE OR REPLACE MACRO googlesql.parse_time(format, a) AS CAST(strptime(googlesql.trim(a), format) AS TIME);
CREATE OR REPLACE MACRO googlesql.parse_timestamp(format, a) AS googlesql.utc_clocked(CAST(strptime(googlesql.trim(a), format) AS TIMESTAMP));

CREATE OR REPLACE MACRO googlesql.interval_step(step) AS list_transform([step], lambda v: CASE WHEN v = to_days(0) THEN CAST('Invalid step: it is zero' AS INTERVAL) ELSE v END)[1];
CREATE OR REPLACE MACRO googlesql.generate_date_array(a, b, step) AS
    CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN
        list_transform(generate_series(CAST(CAST(a AS DATE) AS TIMESTAMP), CAST(CAST(b AS DATE) AS TIMESTAMP), googlesql.interval_step(step)), lambda v: CAST(v AS DATE)) END;
CREATE OR REPLACE MACRO googlesql.generate_timestamp_array(a, b, step) AS
    list_transform(generate_series(make_timestamp(epoch_us(a)), make_timestamp(epoch_us(b)), googlesql.interval_step(step)), lambda v: googlesql.utc(v));
-- The start of the bucket that holds a clock: buckets of so many microseconds, or months, counted from an origin.
CREATE OR REPLACE MACRO googlesql.bucket_floor(n, width) AS n - ((n % width) + width) % width;
CREATE OR REPLACE MACRO googlesql.bucket(clock, origin, micros, months) AS list_transform([struct_pack(c := clock, o := origin, u := micros, m := months)], lambda v: CASE
    WHEN v.c IS NULL OR v.o IS NULL THEN NULL
    WHEN v.u > 0 THEN v.o + to_microseconds(googlesql.bucket_floor(epoch_us(v.c) - epoch_us(v.o), v.u))
    WHEN v.m > 0 THEN list_transform([googlesql.bucket_floor(date_diff('month', v.o, v.c), v.m)], lambda k:
        CASE WHEN v.o + to_months(CAST(k AS INTEGER)) > v.c THEN v.o + to_months(CAST(k - v.m AS INTEGER)) ELSE v.o + to_months(CAST(k AS INTEGER)) END)[1]
    ELSE CAST('Invalid bucket width: it must be positive' AS TIMESTAMP) END)[1];

CREATE OR REPLACE MACRO googlesql.date_of(y, m, d) AS googlesql.dated(make_date(CAST(y AS BIGINT), CAST(m AS BIGINT), CAST(d AS BIGINT)));
CREATE OR REPLACE MACRO googlesql.time_of(h, m, s) AS make_time(CAST(h AS BIGINT), CAST(m AS BIGINT), CAST(s AS DOUBLE));
CREATE OR REPLACE MACRO googlesql.datetime_of(y, month, d, h, m, s) AS
    googlesql.clocked(make_timestamp(CAST(y AS BIGINT), CAST(month AS BIGINT), CAST(d AS BIGINT), CAST(h AS BIGINT), CAST(m AS BIGINT), CAST(s AS DOUBLE)));
CREATE OR REPLACE MACRO googlesql.date_and_time(d, t) AS CAST(d AS DATE) + CAST(t AS TIME);
CREATE OR REPLACE MACRO googlesql.parse_zoned_timestamp(format, a) AS googlesql.utc_clocked(make_timestamp(epoch_us(strptime(googlesql.trim(a), format))));
-- `changes` are the seconds at which a zone's distance from UTC changes, `distances` what is added before and after each.
CREATE OR REPLACE MACRO googlesql.zone_shift(v, changes, distances, last) AS list_transform([distances[len(list_filter(changes, lambda w: w * 1000000 <= epoch_us(v))) + 1]], lambda d:
    CASE WHEN epoch_us(v) // 1000000 >= last THEN CAST('Invalid time for a zone with rules: they are written down up to the year ' || year(v) AS BIGINT) ELSE d END)[1];
CREATE OR REPLACE MACRO googlesql.clock_of_zone(clock TIMESTAMP, changes, distances, last) AS list_transform([clock], lambda v:
    v + to_seconds(googlesql.zone_shift(v, changes, distances, last)))[1];
-- The zone's name as %Z gives it.
CREATE OR REPLACE MACRO googlesql.zone_text(seconds) AS list_transform([seconds], lambda s: 'UTC' || CASE WHEN s = 0 THEN '' ELSE CASE WHEN s < 0 THEN '-' ELSE '+' END
    || abs(s) // 3600 || CASE WHEN abs(s) % 3600 = 0 THEN '' ELSE ':' || lpad(CAST(abs(s) // 60 % 60 AS VARCHAR), 2, '0') END END)[1];
CREATE OR REPLACE MACRO googlesql.offset_text(seconds) AS list_transform([seconds], lambda s: CASE WHEN s < 0 THEN '-' ELSE '+' END || lpad(CAST(abs(s) // 3600 AS VARCHAR), 2, '0')
    || CASE WHEN abs(s) % 3600 = 0 THEN '' ELSE ':' || lpad(CAST(abs(s) // 60 % 60 AS VARCHAR), 2, '0') END)[1];
CREATE OR REPLACE MACRO googlesql.zoned_string(clock, utc) AS list_transform([struct_pack(c := clock, u := utc)], lambda v: googlesql.datetime_string(v.c) || googlesql.offset_text((epoch_us(v.c) - epoch_us(v.u)) // 1000000))[1];
CREATE OR REPLACE MACRO googlesql.truncate_clock(part, clock, a) AS list_transform([struct_pack(c := clock, u := make_timestamp(epoch_us(a)))], lambda v:
    googlesql.utc_clocked(v.u - to_microseconds(epoch_us(v.c) - epoch_us(date_trunc(part, v.c)))))[1];
