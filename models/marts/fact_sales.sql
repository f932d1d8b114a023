-- Every join is a LEFT JOIN: an item without its order must fail an expectation, not vanish from the revenue.
-- Amounts of payments stay in dim_payments: repeated on each item of an order, a SUM would count them again.
SELECT
    CONCAT(items.order_id, '-', CAST(items.order_item_id AS STRING)) AS sales_key,
    items.order_id AS order_key,
    customers.customer_unique_id AS customer_key,
    items.product_id AS product_key,
    items.seller_id AS seller_key,
    {{ date_key('DATE(orders.order_purchase_timestamp)') }} AS date_key,
    payments.payment_key,
    reviews.review_key,
    items.price,
    items.freight_value,
    items.price + items.freight_value AS total_item_value,
    1 AS quantity
FROM {{ ref('stg_order_items') }} AS items
LEFT JOIN {{ ref('stg_orders') }} AS orders
    ON orders.order_id = items.order_id
LEFT JOIN {{ ref('stg_customers') }} AS customers
    ON customers.customer_id = orders.customer_id
LEFT JOIN {{ ref('dim_payments') }} AS payments
    ON payments.payment_key = items.order_id
LEFT JOIN {{ ref('dim_reviews') }} AS reviews
    ON reviews.review_key = items.order_id
