WITH

payments_by_order AS (
    SELECT
        order_id,
        LOGICAL_OR(payment_type = 'credit_card') AS uses_credit_card,
        LOGICAL_OR(payment_type = 'boleto') AS uses_boleto,
        LOGICAL_OR(payment_type = 'voucher') AS uses_voucher,
        LOGICAL_OR(payment_type = 'debit_card') AS uses_debit_card,
        SUM(payment_value) AS total_payment_value,
        SUM(payment_installments) AS total_installments,
        COUNT(DISTINCT payment_type) AS payment_methods_count,
        COUNT(*) AS payment_transactions_count
    FROM {{ ref('stg_order_payments') }}
    GROUP BY order_id
),

-- The numbering has gaps: the first payment is the one with the lowest number, which is not always 1.
first_payments AS (
    SELECT
        order_id,
        payment_type
    FROM {{ ref('stg_order_payments') }}
    QUALIFY ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY payment_sequential) = 1
)

SELECT
    payments.order_id AS payment_key,
    payments.uses_credit_card,
    payments.uses_boleto,
    payments.uses_voucher,
    payments.uses_debit_card,
    first_payments.payment_type AS primary_payment_type,
    payments.total_payment_value,
    payments.total_installments,
    payments.payment_methods_count,
    payments.payment_transactions_count
FROM payments_by_order AS payments
INNER JOIN first_payments
    ON first_payments.order_id = payments.order_id
