-- APPROX_TOP_COUNT and APPROX_TOP_SUM. https://cloud.google.com/bigquery/docs/reference/standard-sql/approximate_aggregate_functions
-- NULL is a value like others. Negative counts sort from the largest, and values beside them from the smallest.
CREATE OR REPLACE MACRO googlesql.approx_top_count(counts, n) AS list_transform(list_sort(list_transform(map_entries(counts), lambda "e$top":
    struct_pack(c := -CAST("e$top"."value" AS BIGINT), v := "e$top"."key"."value")))[1:n], lambda "e$top": struct_pack("value" := "e$top".v, "count" := -"e$top".c));
CREATE OR REPLACE MACRO googlesql.approx_top_weight(w) AS CASE WHEN w < 0 OR CAST(w AS VARCHAR) = 'nan' THEN CAST('Invalid weight of APPROX_TOP_SUM: ' || w AS BIGINT) ELSE w END;
-- The list holds an aggregate of the query around: a group of it is grouped again.
CREATE OR REPLACE MACRO googlesql.approx_top_sum(pairs, n) AS (SELECT list(struct_pack("value" := "t$top".v, "sum" := "t$top".s) ORDER BY "t$top".s DESC NULLS LAST, "t$top".v)
    FROM (SELECT struct_extract_at("e$top", 1) AS v, cast_to_type(sum(googlesql.approx_top_weight(struct_extract_at("e$top", 2))), max(struct_extract_at("e$top", 2))) AS s
        FROM (SELECT unnest(pairs) AS "e$top") GROUP BY 1) AS "t$top")[1:n];
