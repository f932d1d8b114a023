SELECT
    sellers.seller_id AS seller_key,
    sellers.seller_zip_prefix,
    sellers.seller_city,
    sellers.seller_state,
    states.state_name AS seller_state_name,
    states.region AS seller_region,
    states.economic_zone AS seller_economic_zone
FROM {{ ref('stg_sellers') }} AS sellers
LEFT JOIN {{ ref('brazil_state_regions') }} AS states
    ON states.state_code = sellers.seller_state
