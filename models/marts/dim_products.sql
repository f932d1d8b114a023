SELECT
    products.product_id AS product_key,
    products.product_category_name AS product_category_portuguese,
    -- Some categories have no translation and some products no category: both must stay countable in reports.
    COALESCE(
        translations.product_category_name_english,
        products.product_category_name,
        'unknown'
    ) AS product_category_english,
    products.product_weight_g,
    products.product_length_cm,
    products.product_height_cm,
    products.product_width_cm,
    products.product_photos_qty,
    products.product_name_length,
    products.product_description_length,
    products.product_length_cm * products.product_height_cm * products.product_width_cm AS product_volume_cm3
FROM {{ ref('stg_products') }} AS products
LEFT JOIN {{ ref('stg_category_translation') }} AS translations
    ON translations.product_category_name = products.product_category_name
