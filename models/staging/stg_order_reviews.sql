SELECT
    review_id,
    order_id,
    -- A score that is none becomes NULL; an expectation counts them.
    IF(review_score BETWEEN 1 AND 5, review_score, NULL) AS review_score,
    -- Comments of white space only are no comments.
    {{ clean_text('review_comment_title') }} AS review_comment_title,
    {{ clean_text('review_comment_message') }} AS review_comment_message,
    -- The file gives a day, written as its midnight.
    DATE(review_creation_date) AS review_creation_date,
    review_answer_timestamp
FROM {{ source('raw_order_reviews') }}
