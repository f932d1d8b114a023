WITH

points AS (
    SELECT
        {{ zip_prefix('geolocation_zip_code_prefix') }} AS zip_prefix,
        geolocation_lat,
        geolocation_lng,
        {{ normalise_city('geolocation_city') }} AS city,
        {{ upper_code('geolocation_state') }} AS state,
        geolocation_lat BETWEEN {{ var('brazil_latitude_min') }} AND {{ var('brazil_latitude_max') }}
        AND geolocation_lng BETWEEN {{ var('brazil_longitude_min') }} AND {{ var('brazil_longitude_max') }}
            AS is_in_brazil
    FROM {{ source('raw_geolocation') }}
)

SELECT
    zip_prefix,
    -- A point abroad says nothing about its zip prefix. The row stays and an expectation counts it.
    IF(is_in_brazil, geolocation_lat, NULL) AS latitude,
    IF(is_in_brazil, geolocation_lng, NULL) AS longitude,
    city,
    state
FROM points
