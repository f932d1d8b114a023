WITH

-- Some orders have several reviews. The one created last counts; ties go to the later answer, then to the
-- greater identifier.
last_reviews AS (
    SELECT
        review_id,
        order_id,
        review_score,
        review_comment_title,
        review_comment_message,
        review_creation_date
    FROM {{ ref('stg_order_reviews') }}
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY order_id
        ORDER BY review_creation_date DESC, review_answer_timestamp DESC, review_id DESC
    ) = 1
)

SELECT
    reviews.order_id AS review_key,
    reviews.review_score,
    reviews.review_comment_title IS NOT NULL AS has_comment_title,
    reviews.review_comment_message IS NOT NULL AS has_comment_message,
    DATE_DIFF(reviews.review_creation_date, DATE(orders.order_purchase_timestamp), DAY) AS days_to_review,
    reviews.review_creation_date
FROM last_reviews AS reviews
LEFT JOIN {{ ref('stg_orders') }} AS orders
    ON orders.order_id = reviews.order_id
