SELECT
    seller_id,
    {{ zip_prefix('seller_zip_code_prefix') }} AS seller_zip_prefix,
    {{ normalise_city('seller_city') }} AS seller_city,
    {{ upper_code('seller_state') }} AS seller_state
FROM {{ source('raw_sellers') }}
