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

{#-
  "  São  Paulo" and "sao paulo" are one city. NFC first, so that a letter and its accent are one character whichever
  way the file has them; the list holds the accents of Portuguese and of its neighbours.
-#}
{%- macro normalise_city(expression) -%}
REGEXP_REPLACE(
        TRANSLATE(
            NORMALIZE({{ lower_code(expression) }}, NFC),
            'áàâãäéèêëíìîïóòôõöúùûüçñ',
            'aaaaaeeeeiiiiooooouuuucn'
        ),
        r'\s+',
        ' '
    )
{%- endmacro -%}

{#- Five characters again, where a spreadsheet has eaten the zeros in front. -#}
{%- macro zip_prefix(expression) -%}
LPAD({{ clean_text(expression) }}, 5, '0')
{%- endmacro -%}
