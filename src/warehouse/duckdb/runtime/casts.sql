-- CAST and SAFE_CAST. `safe_x` gives NULL for what is no x; `x` raises BigQuery's own words instead.
-- Text is matched against the exact forms BigQuery reads before DuckDB, which reads more, gets to see it.

CREATE OR REPLACE MACRO googlesql.int64_text(v) AS
    CASE WHEN regexp_full_match(v, '\s*[+-]?[0-9]+\s*') THEN TRY_CAST(v AS BIGINT)
         WHEN regexp_full_match(v, '\s*[+-]?0[xX]0*[0-9a-fA-F]{1,16}\s*') THEN
            TRY_CAST(CASE WHEN contains(v, '-') THEN -1 ELSE 1 END * TRY_CAST(lower(regexp_replace(v, '[\s+-]', '', 'g')) AS HUGEINT) AS BIGINT)
    END;
CREATE OR REPLACE MACRO googlesql.float64_text(v) AS
    CASE WHEN regexp_full_match(v, '\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*') THEN TRY_CAST(v AS DOUBLE)
         WHEN regexp_full_match(v, '\s*[+-]?0[xX][0-9a-fA-F]{1,12}\s*') THEN CAST(googlesql.int64_text(v) AS DOUBLE)
         WHEN regexp_full_match(v, '(?i)\s*[+-]?(inf|infinity|nan)\s*') THEN TRY_CAST(regexp_replace(v, '[\s+]', '', 'g') AS DOUBLE)
    END;
CREATE OR REPLACE MACRO googlesql.numeric_text(v) AS
    CASE WHEN regexp_full_match(v, '\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*') THEN TRY_CAST(regexp_replace(v, '\s', '', 'g') AS DECIMAL(38,9)) END;
CREATE OR REPLACE MACRO googlesql.bool_text(v) AS CASE lower(v) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END;
CREATE OR REPLACE MACRO googlesql.date_text(v) AS
    CASE WHEN regexp_full_match(v, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') AND left(v, 4) <> '0000' THEN TRY_CAST(v AS DATE) END;
CREATE OR REPLACE MACRO googlesql.time_text(v) AS
    CASE WHEN regexp_full_match(v, '([01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](\.[0-9]{1,6})?') THEN TRY_CAST(v AS TIME) END;
CREATE OR REPLACE MACRO googlesql.datetime_text(v) AS
    CASE WHEN regexp_full_match(v, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ Tt]([01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](\.[0-9]{1,6})?)?') AND left(v, 4) <> '0000'
        THEN TRY_CAST(replace(v, 't', 'T') AS TIMESTAMP) END;
-- The point in time that a clock in UTC shows: the text carries its own offset, so that the session's time zone,
-- which DuckDB with ICU applies to a plain cast, has no say. Exact for all of BigQuery's range.
-- The years that BigQuery has, 1 to 9999; DuckDB's go on.
CREATE OR REPLACE MACRO googlesql.dated(day) AS list_transform([day], lambda v: CASE WHEN v < DATE '0001-01-01' OR v > DATE '9999-12-31' THEN CAST('Invalid date: out of range' AS DATE) ELSE v END)[1];
CREATE OR REPLACE MACRO googlesql.clocked(clock) AS list_transform([clock], lambda v: CASE WHEN v < TIMESTAMP '0001-01-01' OR v > TIMESTAMP '9999-12-31 23:59:59.999999' THEN CAST('Invalid datetime: out of range' AS TIMESTAMP) ELSE v END)[1];
CREATE OR REPLACE MACRO googlesql.utc(clock) AS CAST(CAST(clock AS VARCHAR) || '+00' AS TIMESTAMPTZ);
CREATE OR REPLACE MACRO googlesql.utc_within(clock) AS list_transform([clock], lambda v: CASE WHEN v >= TIMESTAMP '0001-01-01' AND v <= TIMESTAMP '9999-12-31 23:59:59.999999' THEN googlesql.utc(v) END)[1];
CREATE OR REPLACE MACRO googlesql.utc_clocked(clock) AS googlesql.utc(googlesql.clocked(clock));
-- A zone is `Z`, ` UTC`, or an offset. Other names need tables that DuckDB without ICU does not have: literals are read by the
-- translation, and other texts raise, in SAFE_CAST too, since NULL would be another answer.
CREATE OR REPLACE MACRO googlesql.names_zone(v) AS regexp_full_match(v, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[ Tt][0-9:.]+ ((Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific|US)/[A-Za-z0-9_+/-]+|CET|CST6CDT|Cuba|EET|EST|EST5EDT|Egypt|Eire|GB|GB-Eire|GMT|GMT0|Greenwich|HST|Hongkong|Iceland|Iran|Israel|Jamaica|Japan|Kwajalein|Libya|MET|MST|MST7MDT|NZ|NZ-CHAT|Navajo|PRC|PST8PDT|Poland|Portugal|ROC|ROK|Singapore|Turkey|UCT|UTC[+-][0-9:]+|Universal|W-SU|WET|Zulu)');
CREATE OR REPLACE MACRO googlesql.timestamp_with_offset(day, zone) AS googlesql.utc_within(TRY_CAST(day AS TIMESTAMP)
    - to_minutes(CAST(left(zone, 1) || '1' AS INTEGER) * (CAST(regexp_extract(zone, '[+-]([0-9]{1,2})(:?[0-9]{2})?$', 1) AS INTEGER) * 60
        + CAST('0' || regexp_extract(zone, '[+-][0-9]{1,2}:?([0-9]{2})?$', 1) AS INTEGER))));
CREATE OR REPLACE MACRO googlesql.timestamp_text(v) AS
    CASE WHEN regexp_full_match(v, '[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]') AND left(v, 4) <> '0000'
        THEN TRY_CAST(v || '+00' AS TIMESTAMPTZ)
        WHEN regexp_full_match(v, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ Tt]([01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](\.[0-9]{1,6})?([zZ]| UTC|[+-](0?[0-9]|1[0-3])(:?[0-5][0-9])?|[+-]14(:?00)?)?)?') AND left(v, 4) <> '0000'
        THEN CASE
            WHEN regexp_matches(v, ':[^Zz ]*[+-]')
            THEN googlesql.utc_within(TRY_CAST(replace(regexp_extract(v, '^(.*)[+-][0-9:]+$', 1), 't', 'T') AS TIMESTAMP)
                - to_minutes(CAST(regexp_extract(v, '([+-])[0-9:]+$', 1) || '1' AS INTEGER)
                    * (CAST(regexp_extract(v, '[+-]([0-9]{1,2})(:?[0-9]{2})?$', 1) AS INTEGER) * 60
                        + CAST('0' || regexp_extract(v, '[+-][0-9]{1,2}:?([0-9]{2})?$', 1) AS INTEGER))))
            ELSE googlesql.utc(TRY_CAST(replace(regexp_replace(v, '([zZ]| UTC)$', ''), 't', 'T') AS TIMESTAMP))
        END
        WHEN regexp_full_match(v, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2} [+-](0?[0-9]|1[0-3])(:?[0-5][0-9])?') AND left(v, 4) <> '0000'
        THEN googlesql.timestamp_with_offset(regexp_extract(v, '^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})', 1), regexp_extract(v, ' ([+-][0-9:]+)$', 1))
        WHEN googlesql.names_zone(v) THEN googlesql.utc(CAST('Invalid timestamp: a time zone by its name is read from literals only: ' || v AS TIMESTAMP))
    END;

CREATE OR REPLACE MACRO googlesql.safe_as_int64(a VARCHAR) AS list_transform([a], lambda v: googlesql.int64_text(v))[1],
    (a BIGINT) AS a, (a DOUBLE) AS TRY_CAST(round(a) AS BIGINT), (a DECIMAL(38,9)) AS TRY_CAST(a AS BIGINT), (a BOOLEAN) AS CAST(a AS BIGINT),
    (a UBIGINT[4]) AS TRY(bignumeric_int64(a));
CREATE OR REPLACE MACRO googlesql.as_int64(a VARCHAR) AS
        list_transform([a], lambda v: coalesce(googlesql.int64_text(v), CAST('Bad int64 value: ' || v AS BIGINT)))[1],
    (a BIGINT) AS a, (a DOUBLE) AS CAST(round(a) AS BIGINT), (a DECIMAL(38,9)) AS CAST(a AS BIGINT), (a BOOLEAN) AS CAST(a AS BIGINT),
    (a UBIGINT[4]) AS bignumeric_int64(a);
CREATE OR REPLACE MACRO googlesql.safe_as_float64(a VARCHAR) AS list_transform([a], lambda v: googlesql.float64_text(v))[1],
    (a BIGINT) AS CAST(a AS DOUBLE), (a DOUBLE) AS a, (a DECIMAL(38,9)) AS CAST(a AS DOUBLE),
    (a UBIGINT[4]) AS bignumeric_float64(a);
CREATE OR REPLACE MACRO googlesql.as_float64(a VARCHAR) AS
        list_transform([a], lambda v: coalesce(googlesql.float64_text(v), CAST('Bad double value: ' || v AS DOUBLE)))[1],
    (a BIGINT) AS CAST(a AS DOUBLE), (a DOUBLE) AS a, (a DECIMAL(38,9)) AS CAST(a AS DOUBLE),
    (a UBIGINT[4]) AS bignumeric_float64(a);
-- The number itself, rounded half away from zero; DuckDB would round its product with 10^9.
CREATE OR REPLACE MACRO googlesql.float64_numeric(v) AS CASE WHEN abs(v) < 1e15 THEN CAST(CAST(format('{:.22f}', v) AS DECIMAL(38,22)) AS DECIMAL(38,9))
    WHEN abs(v) < 1e29 THEN CAST(format('{:.9f}', v) AS DECIMAL(38,9)) END;
-- Looser than a cast: commas, blanks around the sign, and the sign behind.
CREATE OR REPLACE MACRO googlesql.plain_number(v) AS CASE WHEN regexp_full_match(v, '\s*[+-]?\s*[0-9][0-9,]*(\.[0-9]*)?([eE][+-]?[0-9]+)?\s*|\s*[+-]?\s*\.[0-9]+([eE][+-]?[0-9]+)?\s*|\s*[0-9][0-9,]*(\.[0-9]*)?\s*[+-]\s*')
    THEN regexp_extract(v, '^\s*([+-]?)', 1) || regexp_extract(replace(v, ',', ''), '([+-]?)\s*$', 1) || regexp_extract(replace(v, ',', ''), '[0-9.][0-9.]*([eE][+-]?[0-9]+)?') ELSE v END;
CREATE OR REPLACE MACRO googlesql.safe_as_numeric(a VARCHAR) AS list_transform([a], lambda v: googlesql.numeric_text(v))[1],
    (a BIGINT) AS CAST(a AS DECIMAL(38,9)), (a DOUBLE) AS list_transform([a], lambda v: googlesql.float64_numeric(v))[1], (a DECIMAL(38,9)) AS a,
    (a UBIGINT[4]) AS TRY(bignumeric_numeric(a));
CREATE OR REPLACE MACRO googlesql.as_numeric(a VARCHAR) AS
        list_transform([a], lambda v: coalesce(googlesql.numeric_text(v), CAST('Invalid NUMERIC value: ' || v AS DECIMAL(38,9))))[1],
    (a BIGINT) AS CAST(a AS DECIMAL(38,9)), (a DOUBLE) AS list_transform([a], lambda v: coalesce(googlesql.float64_numeric(v), CAST('Invalid NUMERIC value: ' || v AS DECIMAL(38,9))))[1], (a DECIMAL(38,9)) AS a,
    (a UBIGINT[4]) AS bignumeric_numeric(a);
-- BIGNUMERIC is an array of four limbs, and its arithmetic functions of Pipewright's: see `bignumeric.rs`.
CREATE OR REPLACE MACRO googlesql.as_bignumeric(a VARCHAR) AS bignumeric_of_text(a),
    (a BIGINT) AS bignumeric_of_int64(a), (a DOUBLE) AS bignumeric_of_float64(a), (a DECIMAL(38,9)) AS bignumeric_of_text(CAST(a AS VARCHAR)), (a UBIGINT[4]) AS a;
CREATE OR REPLACE MACRO googlesql.safe_as_bignumeric(a VARCHAR) AS TRY(bignumeric_of_text(a)),
    (a BIGINT) AS bignumeric_of_int64(a), (a DOUBLE) AS TRY(bignumeric_of_float64(a)), (a DECIMAL(38,9)) AS bignumeric_of_text(CAST(a AS VARCHAR)), (a UBIGINT[4]) AS a;
CREATE OR REPLACE MACRO googlesql.parse_bignumeric(a) AS bignumeric_of_text(list_transform([a], lambda v: googlesql.plain_number(v))[1]);
CREATE OR REPLACE MACRO googlesql.parse_numeric(a) AS googlesql.as_numeric(list_transform([a], lambda v: googlesql.plain_number(v))[1]);
CREATE OR REPLACE MACRO googlesql.safe_as_bool(a VARCHAR) AS googlesql.bool_text(a), (a BOOLEAN) AS a, (a BIGINT) AS a <> 0;
CREATE OR REPLACE MACRO googlesql.as_bool(a VARCHAR) AS
        list_transform([a], lambda v: coalesce(googlesql.bool_text(v), CAST('Bad bool value: ' || v AS BOOLEAN)))[1],
    (a BOOLEAN) AS a, (a BIGINT) AS a <> 0;

CREATE OR REPLACE MACRO googlesql.safe_as_date(a VARCHAR) AS list_transform([a], lambda v: googlesql.date_text(v))[1],
    (a DATE) AS a, (a TIMESTAMP) AS CAST(a AS DATE), (a TIMESTAMPTZ) AS CAST(make_timestamp(epoch_us(a)) AS DATE);
CREATE OR REPLACE MACRO googlesql.as_date(a VARCHAR) AS
        list_transform([a], lambda v: coalesce(googlesql.date_text(v), CAST('Invalid date: ' || v AS DATE)))[1],
    (a DATE) AS a, (a TIMESTAMP) AS CAST(a AS DATE), (a TIMESTAMPTZ) AS CAST(make_timestamp(epoch_us(a)) AS DATE);
CREATE OR REPLACE MACRO googlesql.safe_as_time(a VARCHAR) AS list_transform([a], lambda v: googlesql.time_text(v))[1],
    (a TIME) AS a, (a TIMESTAMP) AS CAST(a AS TIME), (a TIMESTAMPTZ) AS CAST(make_timestamp(epoch_us(a)) AS TIME);
CREATE OR REPLACE MACRO googlesql.as_time(a VARCHAR) AS
        list_transform([a], lambda v: coalesce(googlesql.time_text(v), CAST('Invalid time: ' || v AS TIME)))[1],
    (a TIME) AS a, (a TIMESTAMP) AS CAST(a AS TIME), (a TIMESTAMPTZ) AS CAST(make_timestamp(epoch_us(a)) AS TIME);
CREATE OR REPLACE MACRO googlesql.safe_as_datetime(a VARCHAR) AS list_transform([a], lambda v: googlesql.datetime_text(v))[1],
    (a DATE) AS CAST(a AS TIMESTAMP), (a TIMESTAMP) AS a, (a TIMESTAMPTZ) AS make_timestamp(epoch_us(a));
CREATE OR REPLACE MACRO googlesql.as_datetime(a VARCHAR) AS
        list_transform([a], lambda v: coalesce(googlesql.datetime_text(v), CAST('Invalid datetime: ' || v AS TIMESTAMP)))[1],
    (a DATE) AS CAST(a AS TIMESTAMP), (a TIMESTAMP) AS a, (a TIMESTAMPTZ) AS make_timestamp(epoch_us(a));
CREATE OR REPLACE MACRO googlesql.safe_as_timestamp(a VARCHAR) AS list_transform([a], lambda v: googlesql.timestamp_text(v))[1],
    (a DATE) AS googlesql.utc(CAST(a AS TIMESTAMP)), (a TIMESTAMP) AS googlesql.utc(a), (a TIMESTAMPTZ) AS a;
CREATE OR REPLACE MACRO googlesql.as_timestamp(a VARCHAR) AS
        list_transform([a], lambda v: coalesce(googlesql.timestamp_text(v), googlesql.utc(CAST('Invalid timestamp: ' || v AS TIMESTAMP))))[1],
    (a DATE) AS googlesql.utc(CAST(a AS TIMESTAMP)), (a TIMESTAMP) AS googlesql.utc(a), (a TIMESTAMPTZ) AS a;

-- Fractions of seconds print with as few groups of three digits as hold them.
CREATE OR REPLACE MACRO googlesql.clock_text(v) AS
    strftime(v, '%H:%M:%S') || CASE
        WHEN epoch_us(v) % 1000000 = 0 THEN ''
        WHEN epoch_us(v) % 1000 = 0 THEN strftime(v, '.%g')
        ELSE strftime(v, '.%f') END;
CREATE OR REPLACE MACRO googlesql.datetime_string(v) AS CAST(CAST(v AS DATE) AS VARCHAR) || ' ' || googlesql.clock_text(v);
CREATE OR REPLACE MACRO googlesql.float64_string(v) AS
    CASE WHEN v = 0 THEN '0'
         WHEN CAST(format('{:.15g}', v) AS DOUBLE) = v OR NOT isfinite(v) THEN format('{:.15g}', v)
         ELSE format('{:.17g}', v) END;
CREATE OR REPLACE MACRO googlesql.numeric_string(v) AS
    CASE WHEN v = 0 THEN '0' ELSE rtrim(rtrim(CAST(v AS VARCHAR), '0'), '.') END;
CREATE OR REPLACE MACRO googlesql.range_words(first, last) AS '[' || coalesce(first, 'UNBOUNDED') || ', ' || coalesce(last, 'UNBOUNDED') || ')';
-- Years and months, days, and the time, each with its own sign.
CREATE OR REPLACE MACRO googlesql.interval_words(months, days, micros) AS CASE WHEN months < 0 THEN '-' ELSE '' END || abs(months) // 12 || '-' || abs(months) % 12 || ' ' || days || ' '
    || CASE WHEN micros < 0 THEN '-' ELSE '' END || abs(micros) // 3600000000 || ':' || abs(micros) // 60000000 % 60 || ':' || abs(micros) // 1000000 % 60
    || CASE WHEN micros % 1000000 = 0 THEN '' WHEN micros % 1000 = 0 THEN '.' || lpad(CAST(abs(micros) // 1000 % 1000 AS VARCHAR), 3, '0') ELSE '.' || lpad(CAST(abs(micros) % 1000000 AS VARCHAR), 6, '0') END;
CREATE OR REPLACE MACRO googlesql.interval_string(i) AS list_transform([i], lambda "v$interval": CASE WHEN "v$interval" IS NOT NULL THEN googlesql.interval_words(
    CAST(date_part('year', "v$interval") AS BIGINT) * 12 + CAST(date_part('month', "v$interval") AS BIGINT), CAST(date_part('day', "v$interval") AS BIGINT),
    (CAST(date_part('hour', "v$interval") AS BIGINT) * 3600 + CAST(date_part('minute', "v$interval") AS BIGINT) * 60) * 1000000 + CAST(date_part('microsecond', "v$interval") AS BIGINT)) END)[1];
CREATE OR REPLACE MACRO googlesql.as_string(a VARCHAR) AS a,
    (a BIGINT) AS CAST(a AS VARCHAR),
    (a BOOLEAN) AS CAST(a AS VARCHAR),
    (a DOUBLE) AS list_transform([a], lambda v: googlesql.float64_string(v))[1],
    (a DECIMAL(38,9)) AS list_transform([a], lambda v: googlesql.numeric_string(v))[1],
    (a DATE) AS CAST(a AS VARCHAR),
    (a TIME) AS list_transform([DATE '1970-01-01' + a], lambda v: googlesql.clock_text(v))[1],
    (a TIMESTAMP) AS list_transform([a], lambda v: googlesql.datetime_string(v))[1],
    (a TIMESTAMPTZ) AS list_transform([make_timestamp(epoch_us(a))], lambda v: googlesql.datetime_string(v) || '+00')[1],
    (a BLOB) AS decode(a), (a INTERVAL) AS googlesql.interval_string(a),
    (a STRUCT("range$start" DATE, "range$end" DATE)) AS list_transform([a], lambda "v$text": CASE WHEN "v$text" IS NOT NULL THEN googlesql.range_words(CASE WHEN isfinite("v$text"."range$start") THEN CAST("v$text"."range$start" AS VARCHAR) END, CASE WHEN isfinite("v$text"."range$end") THEN CAST("v$text"."range$end" AS VARCHAR) END) END)[1],
    (a STRUCT("range$start" TIMESTAMP, "range$end" TIMESTAMP)) AS list_transform([a], lambda "v$text": CASE WHEN "v$text" IS NOT NULL THEN googlesql.range_words(CASE WHEN isfinite("v$text"."range$start") THEN googlesql.datetime_string("v$text"."range$start") END, CASE WHEN isfinite("v$text"."range$end") THEN googlesql.datetime_string("v$text"."range$end") END) END)[1],
    (a STRUCT("range$start" TIMESTAMPTZ, "range$end" TIMESTAMPTZ)) AS list_transform([a], lambda "v$text": CASE WHEN "v$text" IS NOT NULL THEN googlesql.range_words(CASE WHEN isfinite("v$text"."range$start") THEN googlesql.datetime_string(make_timestamp(epoch_us("v$text"."range$start"))) || '+00' END, CASE WHEN isfinite("v$text"."range$end") THEN googlesql.datetime_string(make_timestamp(epoch_us("v$text"."range$end"))) || '+00' END) END)[1],
    (a UBIGINT[4]) AS bignumeric_text(a);
CREATE OR REPLACE MACRO googlesql.safe_as_string(a VARCHAR) AS a,
    (a BIGINT) AS googlesql.as_string(a), (a BOOLEAN) AS googlesql.as_string(a), (a DOUBLE) AS googlesql.as_string(a),
    (a DECIMAL(38,9)) AS googlesql.as_string(a), (a DATE) AS googlesql.as_string(a), (a TIME) AS googlesql.as_string(a),
    (a TIMESTAMP) AS googlesql.as_string(a), (a TIMESTAMPTZ) AS googlesql.as_string(a), (a BLOB) AS TRY(decode(a)), (a INTERVAL) AS googlesql.as_string(a), (a STRUCT("range$start" DATE, "range$end" DATE)) AS googlesql.as_string(a), (a STRUCT("range$start" TIMESTAMP, "range$end" TIMESTAMP)) AS googlesql.as_string(a), (a STRUCT("range$start" TIMESTAMPTZ, "range$end" TIMESTAMPTZ)) AS googlesql.as_string(a),
    (a UBIGINT[4]) AS bignumeric_text(a);
CREATE OR REPLACE MACRO googlesql.as_bytes(a VARCHAR) AS encode(a), (a BLOB) AS a;
CREATE OR REPLACE MACRO googlesql.safe_as_bytes(a VARCHAR) AS encode(a), (a BLOB) AS a;
-- Types with parameters: text and bytes of at most so many characters, numbers of so many digits, the last `s` behind the point.
CREATE OR REPLACE MACRO googlesql.bounded_text(a, n) AS list_transform([a], lambda v: CASE WHEN length(v) > n THEN CAST(CAST('Invalid value: longer than ' || n || ' characters' AS BIGINT) AS VARCHAR) ELSE v END)[1];
CREATE OR REPLACE MACRO googlesql.bounded_bytes(a, n) AS list_transform([a], lambda v: CASE WHEN octet_length(v) > n THEN CAST(CAST('Invalid value: longer than ' || n || ' bytes' AS BIGINT) AS BLOB) ELSE v END)[1];
CREATE OR REPLACE MACRO googlesql.bounded_numeric(a, s, bound) AS list_transform([CAST(round(a, CAST(s AS INTEGER)) AS DECIMAL(38,9))], lambda v:
    CASE WHEN abs(v) >= bound THEN CAST('Invalid NUMERIC value: too many digits in ' || v AS DECIMAL(38,9)) ELSE v END)[1];
-- A string literal beside a value takes that value's type.
CREATE OR REPLACE MACRO googlesql.text_like(witness VARCHAR, literal) AS literal,
    (witness DATE, literal) AS googlesql.as_date(CAST(literal AS VARCHAR)),
    (witness TIME, literal) AS googlesql.as_time(CAST(literal AS VARCHAR)),
    (witness TIMESTAMP, literal) AS googlesql.as_datetime(CAST(literal AS VARCHAR)),
    (witness TIMESTAMPTZ, literal) AS googlesql.as_timestamp(CAST(literal AS VARCHAR));
