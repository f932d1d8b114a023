{#- The key of dim_date for a DATE: 20180131. The fact and the dimension must make it alike. -#}
{%- macro date_key(expression) -%}
CAST(FORMAT_DATE('%Y%m%d', {{ expression }}) AS INT64)
{%- endmacro -%}
