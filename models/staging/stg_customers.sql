SELECT
    customer_id,
    customer_unique_id,
    {{ zip_prefix('customer_zip_code_prefix') }} AS customer_zip_prefix,
    {{ normalise_city('customer_city') }} AS customer_city,
    {{ upper_code('customer_state') }} AS customer_state
FROM {{ source('raw_customers') }}
