{#- Text as people meant it. Each macro takes an expression and gives an expression. -#}

{#- Without white space around it; NULL when nothing is left. -#}
{%- macro clean_text(expression) -%}
NULLIF(TRIM({{ expression }}), '')
{%- endmacro -%}

{#- A code such as a status: clean and lower case, so that one spelling is left to compare with. -#}
{%- macro lower_code(expression) -%}
LOWER({{ clean_text(expression) }})
{%- endmacro -%}

{#- A code such as a state: clean and upper case. -#}
{%- macro upper_code(expression) -%}
UPPER({{ clean_text(expression) }})
{%- endmacro -%}

{#- "  São  Paulo" and "sao paulo" are one city: NFD parts a letter from its accents, \pM is an accent. -#}
{%- macro normalise_city(expression) -%}
REGEXP_REPLACE(
        REGEXP_REPLACE(NORMALIZE({{ lower_code(expression) }}, NFD), r'\pM', ''),
        r'\s+',
        ' '
    )
{%- endmacro -%}

{#- Five characters again, where a spreadsheet has eaten the zeros in front. -#}
{%- macro zip_prefix(expression) -%}
LPAD({{ clean_text(expression) }}, 5, '0')
{%- endmacro -%}
