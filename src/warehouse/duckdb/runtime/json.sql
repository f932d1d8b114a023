-- JSON. A JSON value and JSON text in a STRING are read alike; text that is no JSON gives NULL.
CREATE OR REPLACE MACRO googlesql.json_scalar(v, path) AS
    CASE WHEN json_type(v, path) NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN json_extract_string(v, path) END;
CREATE OR REPLACE MACRO googlesql.json_value(a, path) AS
    list_transform([CAST(a AS VARCHAR)], lambda v: CASE WHEN json_valid(v) THEN googlesql.json_scalar(v, path) END)[1];
CREATE OR REPLACE MACRO googlesql.json_part(v, path) AS
    CASE WHEN json_type(v, path) <> 'NULL' THEN CAST(json(json_extract(v, path)) AS VARCHAR) END;
CREATE OR REPLACE MACRO googlesql.json_query(a JSON, path) AS json_extract(a, path),
    (a VARCHAR, path) AS list_transform([a], lambda v: CASE WHEN json_valid(v) THEN googlesql.json_part(v, path) END)[1];
CREATE OR REPLACE MACRO googlesql.json_elements(v, path) AS
    CASE WHEN json_type(v, path) = 'ARRAY' THEN json_extract(v, path || '[*]') END;
CREATE OR REPLACE MACRO googlesql.json_query_array(a JSON, path) AS CASE WHEN json_type(a, path) = 'ARRAY' THEN json_extract(a, path || '[*]') END,
    (a VARCHAR, path) AS list_transform([a], lambda v: CASE WHEN json_valid(v) THEN
        list_transform(googlesql.json_elements(v, path), lambda e: CAST(json(e) AS VARCHAR)) END)[1];
-- All elements are scalars, or the whole is NULL.
CREATE OR REPLACE MACRO googlesql.json_value_array(a, path) AS
    list_transform([CAST(a AS VARCHAR)], lambda v: CASE WHEN json_valid(v) AND NOT list_has_any(json_type(v, path || '[*]'), ['OBJECT', 'ARRAY']) THEN
        list_transform(googlesql.json_elements(v, path), lambda e: googlesql.json_scalar(CAST(e AS VARCHAR), '$')) END)[1];
CREATE OR REPLACE MACRO googlesql.json_kind(a) AS
    CASE json_type(a) WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean'
        WHEN 'NULL' THEN 'null' WHEN NULL THEN NULL ELSE CASE WHEN a IS NOT NULL THEN 'number' END END;
CREATE OR REPLACE MACRO googlesql.json_bool(a) AS
    CASE WHEN json_type(a) = 'BOOLEAN' THEN CAST(json_extract_string(a, '$') AS BOOLEAN)
         WHEN a IS NOT NULL THEN CAST('The provided JSON input is not a boolean' AS BOOLEAN) END;
CREATE OR REPLACE MACRO googlesql.json_int64(a) AS
    CASE WHEN json_type(a) IN ('BIGINT', 'UBIGINT') THEN CAST(json_extract_string(a, '$') AS BIGINT)
         WHEN json_type(a) = 'DOUBLE' AND CAST(json_extract_string(a, '$') AS DOUBLE) = trunc(CAST(json_extract_string(a, '$') AS DOUBLE))
            THEN CAST(CAST(json_extract_string(a, '$') AS DOUBLE) AS BIGINT)
         WHEN a IS NOT NULL THEN CAST('The provided JSON input is not an integer' AS BIGINT) END;
CREATE OR REPLACE MACRO googlesql.json_float64(a) AS
    CASE WHEN json_type(a) IN ('BIGINT', 'UBIGINT', 'DOUBLE') THEN CAST(json_extract_string(a, '$') AS DOUBLE)
         WHEN a IS NOT NULL THEN CAST('The provided JSON input is not a number' AS DOUBLE) END;
CREATE OR REPLACE MACRO googlesql.json_string(a) AS
    CASE WHEN json_type(a) = 'VARCHAR' THEN json_extract_string(a, '$')
         WHEN a IS NOT NULL THEN CAST(CAST('The provided JSON input is not a string' AS BIGINT) AS VARCHAR) END;
-- STRING() of JSON, dates and times. An overload for JSON would take anything, since anything casts to JSON.
CREATE OR REPLACE MACRO googlesql.string_of(a) AS CASE typeof(a) WHEN 'JSON' THEN googlesql.json_string(to_json(a))
    WHEN 'DATE' THEN googlesql.as_string(TRY_CAST(a AS DATE)) WHEN 'TIME' THEN googlesql.as_string(TRY_CAST(a AS TIME))
    WHEN 'TIMESTAMP' THEN googlesql.as_string(TRY_CAST(a AS TIMESTAMP))
    WHEN 'TIMESTAMP WITH TIME ZONE' THEN googlesql.as_string(TRY_CAST(a AS TIMESTAMPTZ)) END;
CREATE OR REPLACE MACRO googlesql.lax_bool(a) AS
    CASE json_type(a) WHEN 'BOOLEAN' THEN TRY_CAST(json_extract_string(a, '$') AS BOOLEAN)
        WHEN 'VARCHAR' THEN googlesql.bool_text(json_extract_string(a, '$'))
        WHEN 'BIGINT' THEN TRY_CAST(json_extract_string(a, '$') AS BIGINT) <> 0 WHEN 'UBIGINT' THEN TRY_CAST(json_extract_string(a, '$') AS UBIGINT) <> 0
        WHEN 'DOUBLE' THEN TRY_CAST(json_extract_string(a, '$') AS DOUBLE) <> 0 END;
CREATE OR REPLACE MACRO googlesql.lax_int64(a) AS
    CASE json_type(a) WHEN 'BOOLEAN' THEN TRY_CAST(CAST(json_extract_string(a, '$') AS BOOLEAN) AS BIGINT)
        WHEN 'VARCHAR' THEN TRY_CAST(round(googlesql.float64_text(json_extract_string(a, '$'))) AS BIGINT)
        WHEN 'BIGINT' THEN TRY_CAST(json_extract_string(a, '$') AS BIGINT) WHEN 'UBIGINT' THEN TRY_CAST(json_extract_string(a, '$') AS BIGINT)
        WHEN 'DOUBLE' THEN TRY_CAST(round(TRY_CAST(json_extract_string(a, '$') AS DOUBLE)) AS BIGINT) END;
CREATE OR REPLACE MACRO googlesql.lax_float64(a) AS
    CASE WHEN json_type(a) IN ('VARCHAR', 'BIGINT', 'UBIGINT', 'DOUBLE') THEN googlesql.float64_text(json_extract_string(a, '$')) END;
CREATE OR REPLACE MACRO googlesql.lax_string(a) AS
    CASE json_type(a) WHEN 'DOUBLE' THEN googlesql.float64_string(TRY_CAST(json_extract_string(a, '$') AS DOUBLE))
        ELSE googlesql.json_scalar(CAST(a AS VARCHAR), '$') END;
