WITH orders AS (
    SELECT
        order_id,
        customer_id,
        order_status,
        order_purchase_timestamp,
        order_delivered_customer_date,
        order_estimated_delivery_date
    FROM `olist_staging.stg_orders`
    WHERE order_status NOT IN ('unavailable', 'canceled')
),

customers AS (
    SELECT
        customer_id,
        customer_unique_id,
        customer_zip_code_prefix,
        INITCAP(customer_city) AS customer_city,
        customer_state
    FROM `olist_staging.stg_customers`
),

items AS (
    SELECT
        order_id,
        COUNT(*) AS item_count,
        COUNT(DISTINCT product_id) AS product_count,
        SUM(price) AS items_value,
        SUM(freight_value) AS freight_value
    FROM `olist_staging.stg_order_items`
    GROUP BY order_id
),

payments AS (
    SELECT
        order_id,
        SUM(payment_value) AS paid_value,
        MAX(payment_installments) AS installments,
        COUNTIF(payment_type = 'voucher') AS voucher_count,
        STRING_AGG(DISTINCT payment_type, ', ' ORDER BY payment_type) AS payment_types
    FROM `olist_staging.stg_order_payments`
    GROUP BY order_id
),

reviews AS (
    SELECT
        order_id,
        review_score,
        NULLIF(TRIM(review_comment_message), '') AS review_comment
    FROM `olist_staging.stg_order_reviews`
    QUALIFY ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY review_answer_timestamp DESC, review_id) = 1
),

joined AS (
    SELECT
        orders.order_id,
        customers.customer_unique_id,
        customers.customer_city,
        customers.customer_state,
        orders.order_status,
        orders.order_purchase_timestamp,
        DATE(orders.order_purchase_timestamp, 'America/Sao_Paulo') AS purchased_on,
        DATE_TRUNC(DATE(orders.order_purchase_timestamp), MONTH) AS purchase_month,
        FORMAT_DATE('%Y-%m', DATE(orders.order_purchase_timestamp)) AS purchase_period,
        DATE_DIFF(
            DATE(orders.order_delivered_customer_date),
            DATE(orders.order_purchase_timestamp),
            DAY
        ) AS days_to_delivery,
        orders.order_delivered_customer_date > orders.order_estimated_delivery_date AS is_late,
        COALESCE(items.item_count, 0) AS item_count,
        COALESCE(items.product_count, 0) AS product_count,
        COALESCE(items.items_value, NUMERIC '0') AS items_value,
        COALESCE(items.freight_value, NUMERIC '0') AS freight_value,
        payments.paid_value,
        payments.installments,
        payments.voucher_count,
        payments.payment_types,
        reviews.review_score,
        reviews.review_comment IS NOT NULL AS has_comment
    FROM orders
    LEFT JOIN customers ON customers.customer_id = orders.customer_id
    LEFT JOIN items ON items.order_id = orders.order_id
    LEFT JOIN payments ON payments.order_id = orders.order_id
    LEFT JOIN reviews ON reviews.order_id = orders.order_id
)

SELECT
    *,
    ROUND(SAFE_DIVIDE(freight_value, items_value) * 100, 2) AS freight_percentage,
    CASE
        WHEN review_score >= 4 THEN 'promoter'
        WHEN review_score = 3 THEN 'neutral'
        WHEN review_score IS NOT NULL THEN 'detractor'
    END AS sentiment,
    ROW_NUMBER() OVER (PARTITION BY customer_unique_id ORDER BY order_purchase_timestamp, order_id) AS order_number,
    SUM(items_value) OVER (PARTITION BY customer_unique_id ORDER BY order_purchase_timestamp, order_id) AS value_to_date
FROM joined
ORDER BY order_purchase_timestamp
