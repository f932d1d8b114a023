{#-
  The sales that the dashboard's filters choose: one row for each order item, as `sales` with its `dates` and
  `customers`. A filter without a choice is NULL and lets every row through. The conditions stand in ON, so that
  a query can join more tables behind it.
-#}
{%- macro chosen_sales() -%}
{{ ref('fact_sales') }} AS sales
INNER JOIN {{ ref('dim_date') }} AS dates
    ON dates.date_key = sales.date_key
    AND {{ in_period() }}
INNER JOIN {{ ref('dim_customers') }} AS customers
    ON customers.customer_key = sales.customer_key
    AND (@customer_region IS NULL OR customers.customer_region = @customer_region)
{%- endmacro -%}

{#- The days, as `dates`, that the filters for year and month choose. -#}
{%- macro in_period() -%}
(@year IS NULL OR dates.year = @year)
    AND (@month IS NULL OR dates.month = @month)
{%- endmacro -%}

{#- The macros below are tables for WITH: the chosen sales by month, order, customer and seller. -#}

{#- Months without sales are zero, not missing: a line through them would tell of sales that never were. -#}
{%- macro sales_by_month() -%}
months AS (
    SELECT DISTINCT DATE_TRUNC(dates.full_date, MONTH) AS month_start
    FROM {{ ref('dim_date') }} AS dates
    WHERE {{ in_period() }}
),

month_totals AS (
    SELECT
        DATE_TRUNC(dates.full_date, MONTH) AS month_start,
        SUM(sales.total_item_value) AS revenue,
        COUNT(DISTINCT sales.order_key) AS orders,
        COUNT(*) AS order_lines
    FROM {{ chosen_sales() }}
    GROUP BY month_start
),

sales_by_month AS (
    SELECT
        months.month_start,
        COALESCE(month_totals.revenue, 0) AS revenue,
        COALESCE(month_totals.orders, 0) AS orders,
        COALESCE(month_totals.order_lines, 0) AS order_lines
    FROM months
    LEFT JOIN month_totals
        ON month_totals.month_start = months.month_start
)
{%- endmacro -%}

{%- macro sales_by_order() -%}
sales_by_order AS (
    SELECT
        sales.order_key,
        sales.payment_key,
        sales.review_key,
        dates.full_date,
        customers.customer_state_name,
        customers.customer_region,
        SUM(sales.total_item_value) AS order_value
    FROM {{ chosen_sales() }}
    GROUP BY
        sales.order_key,
        sales.payment_key,
        sales.review_key,
        dates.full_date,
        customers.customer_state_name,
        customers.customer_region
)
{%- endmacro -%}

{%- macro sales_by_customer() -%}
sales_by_customer AS (
    SELECT
        sales.customer_key,
        customers.customer_region,
        COUNT(DISTINCT sales.order_key) AS orders,
        SUM(sales.total_item_value) AS revenue
    FROM {{ chosen_sales() }}
    GROUP BY sales.customer_key, customers.customer_region
)
{%- endmacro -%}

{%- macro sales_by_seller() -%}
sales_by_seller AS (
    SELECT
        sellers.seller_key,
        sellers.seller_city,
        sellers.seller_state,
        sellers.seller_region,
        COUNT(DISTINCT sales.order_key) AS orders,
        COUNT(*) AS items,
        SUM(sales.total_item_value) AS revenue
    FROM {{ chosen_sales() }}
    INNER JOIN {{ ref('dim_sellers') }} AS sellers
        ON sellers.seller_key = sales.seller_key
    GROUP BY sellers.seller_key, sellers.seller_city, sellers.seller_state, sellers.seller_region
)
{%- endmacro -%}
