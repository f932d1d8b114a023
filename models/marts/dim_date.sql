WITH

order_days AS (
    SELECT
        MIN(DATE(order_purchase_timestamp)) AS first_day,
        MAX(DATE(order_purchase_timestamp)) AS last_day
    FROM {{ ref('stg_orders') }}
),

-- Days without an order are days too: a report by day must show them as zero.
days AS (
    SELECT full_date
    FROM order_days
    CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(first_day, last_day)) AS full_date
)

SELECT
    {{ date_key('full_date') }} AS date_key,
    full_date,
    EXTRACT(YEAR FROM full_date) AS year,
    EXTRACT(QUARTER FROM full_date) AS quarter,
    EXTRACT(MONTH FROM full_date) AS month,
    FORMAT_DATE('%B', full_date) AS month_name,
    EXTRACT(DAYOFWEEK FROM full_date) AS day_of_week,
    FORMAT_DATE('%A', full_date) AS day_name,
    EXTRACT(DAYOFWEEK FROM full_date) IN (1, 7) AS is_weekend
FROM days
