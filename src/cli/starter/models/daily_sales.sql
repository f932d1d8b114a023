SELECT
    DATE(ordered_at) AS day,
    COUNT(*) AS orders,
    SUM(amount) AS revenue
FROM {{ source('orders') }}
GROUP BY day
