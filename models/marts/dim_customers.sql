WITH

-- A person's rows can differ in their address. The latest order decides; identifiers break ties, so that every
-- run gives the same row.
latest_addresses AS (
    SELECT
        customers.customer_unique_id,
        customers.customer_zip_prefix,
        customers.customer_city,
        customers.customer_state
    FROM {{ ref('stg_customers') }} AS customers
    LEFT JOIN {{ ref('stg_orders') }} AS orders
        ON orders.customer_id = customers.customer_id
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY customers.customer_unique_id
        ORDER BY orders.order_purchase_timestamp DESC, orders.order_id DESC, customers.customer_id DESC
    ) = 1
),

-- Four decimals are ten metres; beyond them a mean depends on the order in which the rows were added up.
zip_centres AS (
    SELECT
        zip_prefix,
        ROUND(AVG(latitude), 4) AS latitude,
        ROUND(AVG(longitude), 4) AS longitude
    FROM {{ ref('stg_geolocation') }}
    GROUP BY zip_prefix
)

SELECT
    addresses.customer_unique_id AS customer_key,
    addresses.customer_zip_prefix,
    addresses.customer_city,
    addresses.customer_state,
    states.state_name AS customer_state_name,
    states.region AS customer_region,
    states.economic_zone AS customer_economic_zone,
    centres.latitude AS customer_latitude,
    centres.longitude AS customer_longitude
FROM latest_addresses AS addresses
LEFT JOIN {{ ref('brazil_state_regions') }} AS states
    ON states.state_code = addresses.customer_state
LEFT JOIN zip_centres AS centres
    ON centres.zip_prefix = addresses.customer_zip_prefix
