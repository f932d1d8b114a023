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

{#- Days of dim_date, as `dates`, that the filters for year and month choose. -#}
{%- macro in_period() -%}
(@year IS NULL OR dates.year = @year)
    AND (@month IS NULL OR dates.month = @month)
{%- endmacro -%}
