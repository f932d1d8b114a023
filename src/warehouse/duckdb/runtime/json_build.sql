-- JSON that is made and changed. The keys of a JSON value are sorted, as BigQuery gives them.

CREATE OR REPLACE MACRO googlesql.json_sorted(a) AS CAST(json_normalize(a) AS JSON);
-- Values by the text of their type, since DuckDB takes any type for JSON and so cannot choose between overloads.
CREATE OR REPLACE MACRO googlesql.iso_datetime(v) AS CAST(CAST(v AS DATE) AS VARCHAR) || 'T' || googlesql.clock_text(v);
CREATE OR REPLACE MACRO googlesql.iso_text(kind, text) AS CASE kind
    WHEN 'TIMESTAMP' THEN list_transform([TRY_CAST(text AS TIMESTAMP)], lambda "v$iso_text": googlesql.iso_datetime("v$iso_text"))[1]
    WHEN 'TIMESTAMP WITH TIME ZONE' THEN list_transform([make_timestamp(epoch_us(TRY_CAST(text AS TIMESTAMPTZ)))], lambda "v$iso_text": googlesql.iso_datetime("v$iso_text") || 'Z')[1]
    WHEN 'TIME' THEN list_transform([DATE '1970-01-01' + TRY_CAST(text AS TIME)], lambda "v$iso_text": googlesql.clock_text("v$iso_text"))[1]
    WHEN 'BLOB' THEN to_base64(TRY_CAST(text AS BLOB)) ELSE text END;
CREATE OR REPLACE MACRO googlesql.is_iso(kind) AS kind IN ('TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'TIME', 'BLOB', 'DATE');
-- A number that FLOAT64 cannot hold is text, in TO_JSON_STRING.
CREATE OR REPLACE MACRO googlesql.number_text(v) AS list_transform([googlesql.numeric_string(v)], lambda "s$number_text":
    CASE WHEN contains("s$number_text", '.') OR abs(v) > 9007199254740992 THEN '"' || "s$number_text" || '"' ELSE "s$number_text" END)[1];
CREATE OR REPLACE MACRO googlesql.float64_json(text) AS CASE WHEN lower(text) = 'nan' THEN '"NaN"' WHEN lower(text) IN ('inf', 'infinity') THEN '"Infinity"'
    WHEN lower(text) IN ('-inf', '-infinity') THEN '"-Infinity"' ELSE googlesql.float64_string(TRY_CAST(text AS DOUBLE)) END;
CREATE OR REPLACE MACRO googlesql.leaf_json_string(kind, text) AS CASE
    WHEN text IS NULL THEN 'null'
    WHEN kind = 'BIGINT' AND length(text) < 16 THEN text
    WHEN kind = 'BIGINT' THEN googlesql.number_text(TRY_CAST(text AS DECIMAL(38,9)))
    WHEN kind IN ('DOUBLE', 'FLOAT') THEN googlesql.float64_json(text)
    WHEN starts_with(kind, 'DECIMAL') THEN googlesql.number_text(TRY_CAST(text AS DECIMAL(38,9)))
    ELSE '"' || googlesql.iso_text(kind, text) || '"' END;
CREATE OR REPLACE MACRO googlesql.bignumeric_json_string(a) AS list_transform([bignumeric_text(a)], lambda "s$big": CASE WHEN "s$big" IS NULL THEN 'null'
    WHEN contains("s$big", '.') OR length("s$big") > 17 OR abs(TRY_CAST("s$big" AS HUGEINT)) > 9007199254740992 THEN '"' || "s$big" || '"' ELSE "s$big" END)[1];
CREATE OR REPLACE MACRO googlesql.bignumeric_json(a) AS list_transform([a], lambda "v$big": CASE WHEN "v$big" IS NULL THEN 'null'
    WHEN TRY_CAST(bignumeric_text("v$big") AS HUGEINT) BETWEEN -9223372036854775808 AND 18446744073709551615 AND NOT contains(bignumeric_text("v$big"), '.') OR TRY(bignumeric_of_float64(bignumeric_float64("v$big"))) = "v$big" THEN bignumeric_text("v$big") ELSE CAST(to_json(bignumeric_float64("v$big")) AS VARCHAR) END)[1];
-- A struct or list of types that DuckDB prints otherwise than BigQuery raises, unless it is written in place.
CREATE OR REPLACE MACRO googlesql.to_json_string(a) AS CASE
    WHEN a IS NULL THEN 'null'
    WHEN typeof(a) IN ('BIGINT', 'DOUBLE', 'FLOAT') OR starts_with(typeof(a), 'DECIMAL') AND NOT ends_with(typeof(a), ']') OR googlesql.is_iso(typeof(a))
        THEN googlesql.leaf_json_string(typeof(a), CAST(a AS VARCHAR))
    WHEN typeof(a) IN ('BIGINT[]', 'DOUBLE[]', 'DECIMAL(38,9)[]') OR ends_with(typeof(a), '[]') AND googlesql.is_iso(left(typeof(a), -2)) AND typeof(a) <> 'BLOB[]'
        THEN '[' || coalesce(list_aggregate(list_transform(TRY_CAST(CAST(a AS VARCHAR) AS VARCHAR[]), lambda "v$to_json_string": googlesql.leaf_json_string(left(typeof(a), -2), "v$to_json_string")), 'string_agg', ','), '') || ']'
    WHEN regexp_matches(typeof(a), 'DOUBLE|FLOAT|DECIMAL|TIME|BLOB|INTERVAL|MAP|UNION|range\$start')
        THEN CAST(CAST('TO_JSON_STRING does not print a value of the type ' || CASE WHEN contains(typeof(a), 'range$start') THEN 'RANGE' ELSE typeof(a) END AS BIGINT) AS VARCHAR)
    ELSE CAST(to_json(a) AS VARCHAR) END;

CREATE OR REPLACE MACRO googlesql.leaf_json(kind, text) AS CASE
    WHEN text IS NULL THEN 'null'
    WHEN kind IN ('DOUBLE', 'FLOAT') THEN CASE WHEN isfinite(TRY_CAST(text AS DOUBLE)) THEN CAST(to_json(TRY_CAST(text AS DOUBLE)) AS VARCHAR) ELSE googlesql.float64_json(text) END
    WHEN starts_with(kind, 'DECIMAL') THEN list_transform([TRY_CAST(text AS DECIMAL(38,9))], lambda "v$leaf_json":
        CASE WHEN TRY_CAST(CAST("v$leaf_json" AS DOUBLE) AS DECIMAL(38,9)) = "v$leaf_json" THEN googlesql.numeric_string("v$leaf_json") ELSE CAST(to_json(CAST("v$leaf_json" AS DOUBLE)) AS VARCHAR) END)[1]
    ELSE '"' || googlesql.iso_text(kind, text) || '"' END;
CREATE OR REPLACE MACRO googlesql.to_json(a) AS CASE
    WHEN a IS NULL THEN CAST('null' AS JSON)
    WHEN typeof(a) IN ('DOUBLE', 'FLOAT') OR starts_with(typeof(a), 'DECIMAL') AND NOT ends_with(typeof(a), ']') OR googlesql.is_iso(typeof(a))
        THEN CAST(googlesql.leaf_json(typeof(a), CAST(a AS VARCHAR)) AS JSON)
    WHEN typeof(a) = 'DECIMAL(38,9)[]' OR ends_with(typeof(a), '[]') AND googlesql.is_iso(left(typeof(a), -2)) AND typeof(a) <> 'BLOB[]'
        THEN CAST('[' || coalesce(list_aggregate(list_transform(TRY_CAST(CAST(a AS VARCHAR) AS VARCHAR[]), lambda "v$to_json": googlesql.leaf_json(left(typeof(a), -2), "v$to_json")), 'string_agg', ','), '') || ']' AS JSON)
    WHEN regexp_matches(typeof(a), 'DECIMAL|TIME|BLOB|INTERVAL|MAP|UNION')
        THEN CAST(CAST(CAST('TO_JSON does not convert a value of the type ' || typeof(a) AS BIGINT) AS VARCHAR) AS JSON)
    ELSE googlesql.json_sorted(to_json(a)) END;

CREATE OR REPLACE MACRO googlesql.parse_json(a) AS googlesql.json_sorted(CAST(a AS JSON));
CREATE OR REPLACE MACRO googlesql.json_flatten(a) AS CAST(json_flatten(CAST(a AS VARCHAR)) AS JSON[]);
CREATE OR REPLACE MACRO googlesql.json_items(a) AS json_extract(a, '$[*]');
CREATE OR REPLACE MACRO googlesql.json_list(items) AS CASE WHEN len(items) = 0 THEN CAST('[]' AS JSON) ELSE to_json(items) END;
CREATE OR REPLACE MACRO googlesql.json_nulls(n) AS list_transform(range(0, n), lambda "v$json_nulls": CAST('null' AS JSON));
-- A value as the elements that JSON_ARRAY_APPEND and JSON_ARRAY_INSERT put in: those of an array, unless told otherwise.
CREATE OR REPLACE MACRO googlesql.json_inserted(a, each) AS
    CASE WHEN each AND ends_with(typeof(a), ']') THEN CASE WHEN a IS NULL THEN CAST([] AS JSON[]) ELSE googlesql.json_items(googlesql.to_json(a)) END ELSE [googlesql.to_json(a)] END;
CREATE OR REPLACE MACRO googlesql.json_append(items, new) AS googlesql.json_list(list_concat(items, new));
CREATE OR REPLACE MACRO googlesql.json_insert(items, n, new) AS googlesql.json_list(list_concat(list_concat(list_concat(list_slice(items, 1, n),
    googlesql.json_nulls(greatest(CAST(n - len(items) AS BIGINT), 0))), new), list_slice(items, n + 1, len(items))));
-- What stands at an index; an array that is too short is filled up with nulls.
CREATE OR REPLACE MACRO googlesql.json_put(items, n, new) AS googlesql.json_list(list_concat(list_concat(list_concat(list_slice(items, 1, n),
    googlesql.json_nulls(greatest(CAST(n - len(items) AS BIGINT), 0))), [new]), list_slice(items, n + 2, len(items))));
CREATE OR REPLACE MACRO googlesql.json_of_arrays(keys, items) AS CASE WHEN len(keys) <> len(items)
    THEN CAST(CAST(CAST('The number of keys and values of JSON_OBJECT must match' AS BIGINT) AS VARCHAR) AS JSON)
    ELSE googlesql.json_sorted(CAST('{' || coalesce(list_aggregate(list_transform(range(1, len(keys) + 1), lambda "i$json_of_arrays":
        CAST(to_json(keys["i$json_of_arrays"]) AS VARCHAR) || ':' || CAST(googlesql.to_json(items["i$json_of_arrays"]) AS VARCHAR)), 'string_agg', ','), '') || '}' AS JSON)) END;

-- NULLs stripped from the text: strings are put aside as numbered marks, which neither a key nor a value can look like.
CREATE OR REPLACE MACRO googlesql.json_tokens(a) AS regexp_extract_all(CAST(googlesql.json_sorted(a) AS VARCHAR), '"(?:[^"\\]|\\.)*"|[^"]+');
CREATE OR REPLACE MACRO googlesql.json_without(text, empty) AS regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    text, CASE WHEN empty THEN '(\x02\d+\x03:)?(null|\{\}|\[\])' ELSE '(\x02\d+\x03:)?null' END, chr(1), 'g'),
    '\x01,', '', 'g'), ',\x01', '', 'g'), '([\[{])\x01([\]}])', '\1\2', 'g');
CREATE OR REPLACE MACRO googlesql.json_strip(a, empty) AS list_transform([googlesql.json_tokens(a)], lambda "tokens$json_strip":
    list_transform([list_aggregate(list_transform("tokens$json_strip", lambda "t$json_strip", "i$json_strip": CASE WHEN "t$json_strip"[1] = '"' THEN chr(2) || "i$json_strip" || chr(3) ELSE "t$json_strip" END), 'string_agg', '')], lambda "text$json_strip":
    list_transform([list_reduce(list_transform(range(0, CASE WHEN empty THEN len(regexp_extract_all("text$json_strip", '[\[{]')) + 1 ELSE 1 END), lambda "v$json_strip": ''), lambda "s$json_strip", "v$json_strip": googlesql.json_without("s$json_strip", empty), "text$json_strip")], lambda "s$json_strip":
    CAST(CASE WHEN "s$json_strip" = chr(1) THEN 'null' ELSE list_aggregate(list_transform(regexp_extract_all("s$json_strip", '\x02\d+\x03|[^\x02]+'), lambda "t$json_strip":
        CASE WHEN "t$json_strip"[1] = chr(2) THEN "tokens$json_strip"[CAST("t$json_strip"[2:-2] AS BIGINT)] ELSE "t$json_strip" END), 'string_agg', '') END AS JSON))[1])[1])[1];
-- A path as JSON_KEYS writes it: a key is quoted if it holds a period, a quote or a backslash.
CREATE OR REPLACE MACRO googlesql.json_path_name(path) AS regexp_replace(path[3:], '"([^".\\]*)"', '\1', 'g');
CREATE OR REPLACE MACRO googlesql.json_keys(a, deep) AS CASE WHEN json_type(a) = 'OBJECT' THEN
    (SELECT coalesce(list(DISTINCT googlesql.json_path_name(fullkey) ORDER BY googlesql.json_path_name(fullkey)) FILTER (WHERE fullkey <> '$' AND NOT contains(regexp_replace(fullkey, '"[^"]*"', '', 'g'), '[')
        AND (NOT contains(regexp_replace(fullkey[3:], '"[^"]*"', '', 'g'), '.') OR deep)), []) FROM json_tree(a)) END;
CREATE OR REPLACE MACRO googlesql.json_array_of(a) AS
    CASE WHEN json_type(a) = 'ARRAY' THEN googlesql.json_items(a)
         WHEN a IS NOT NULL THEN CAST(CAST('The provided JSON input is not an array' AS BIGINT)::VARCHAR AS JSON[]) END;
CREATE OR REPLACE MACRO googlesql.int64_array(a) AS list_transform(googlesql.json_array_of(a), lambda "v$int64_array": googlesql.json_int64("v$int64_array"));
CREATE OR REPLACE MACRO googlesql.float64_array(a) AS list_transform(googlesql.json_array_of(a), lambda "v$float64_array": googlesql.json_float64("v$float64_array"));
CREATE OR REPLACE MACRO googlesql.bool_array(a) AS list_transform(googlesql.json_array_of(a), lambda "v$bool_array": googlesql.json_bool("v$bool_array"));
CREATE OR REPLACE MACRO googlesql.string_array(a) AS list_transform(googlesql.json_array_of(a), lambda "v$string_array": googlesql.json_string("v$string_array"));
CREATE OR REPLACE MACRO googlesql.lax_array(a) AS CAST(CASE WHEN json_type(a) = 'ARRAY' THEN googlesql.json_items(a) END AS JSON[]);
CREATE OR REPLACE MACRO googlesql.lax_int64_array(a) AS list_transform(googlesql.lax_array(a), lambda "v$lax": googlesql.lax_int64("v$lax"));
CREATE OR REPLACE MACRO googlesql.lax_float64_array(a) AS list_transform(googlesql.lax_array(a), lambda "v$lax": googlesql.lax_float64("v$lax"));
CREATE OR REPLACE MACRO googlesql.lax_bool_array(a) AS list_transform(googlesql.lax_array(a), lambda "v$lax": googlesql.lax_bool("v$lax"));
CREATE OR REPLACE MACRO googlesql.lax_string_array(a) AS list_transform(googlesql.lax_array(a), lambda "v$lax": googlesql.lax_string("v$lax"));
-- JSON over several lines, two blanks for each level; DuckDB takes four.
CREATE OR REPLACE MACRO googlesql.json_pretty(text) AS list_aggregate(list_transform(string_split(json_pretty(CAST(text AS JSON)), chr(10)), lambda "l$pretty":
    repeat(' ', (length("l$pretty") - length(ltrim("l$pretty", ' '))) // 2) || ltrim("l$pretty", ' ')), 'string_agg', chr(10));
