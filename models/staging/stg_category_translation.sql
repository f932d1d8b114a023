SELECT
    {{ lower_code('product_category_name') }} AS product_category_name,
    {{ lower_code('product_category_name_english') }} AS product_category_name_english
FROM {{ source('raw_product_category_name_translation') }}
