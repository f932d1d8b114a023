SELECT
    order_id,
    payment_sequential,
    {{ lower_code('payment_type') }} AS payment_type,
    payment_installments,
    payment_value
FROM {{ source('raw_order_payments') }}
