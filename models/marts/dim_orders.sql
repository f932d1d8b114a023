WITH

-- Customers count days on the calendar, not spans of 24 hours.
orders AS (
    SELECT
        order_id,
        order_status,
        order_purchase_timestamp,
        order_approved_at,
        order_delivered_carrier_date,
        order_delivered_customer_date,
        order_estimated_delivery_date,
        DATE_DIFF(DATE(order_delivered_customer_date), DATE(order_purchase_timestamp), DAY) AS days_to_delivery,
        DATE_DIFF(
            DATE(order_delivered_customer_date),
            DATE(order_estimated_delivery_date),
            DAY
        ) AS delivery_vs_estimate_days
    FROM {{ ref('stg_orders') }}
)

SELECT
    order_id AS order_key,
    order_status,
    order_purchase_timestamp,
    order_approved_at,
    order_delivered_carrier_date,
    order_delivered_customer_date,
    order_estimated_delivery_date,
    days_to_delivery,
    delivery_vs_estimate_days,
    -- NULL while there is no delivery: such an order is neither on time nor late.
    delivery_vs_estimate_days <= 0 AS is_delivered_on_time
FROM orders
