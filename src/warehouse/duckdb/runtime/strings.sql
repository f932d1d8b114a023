-- Text. White space is Unicode's White_Space property, as ICU's u_isUWhiteSpace gives it to BigQuery.
CREATE OR REPLACE MACRO googlesql.white_space() AS
    chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(32) || chr(133) || chr(160) || chr(5760)
        || chr(8192) || chr(8193) || chr(8194) || chr(8195) || chr(8196) || chr(8197)
        || chr(8198) || chr(8199) || chr(8200) || chr(8201) || chr(8202) || chr(8232) || chr(8233) || chr(8239) || chr(8287) || chr(12288);
-- The same characters for a regular expression, which is several times faster than trim() with a list.
CREATE OR REPLACE MACRO googlesql.white_space_class() AS '[\t\n\v\f\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+';
CREATE OR REPLACE MACRO googlesql.trim(a) AS
        regexp_replace(a, '^' || googlesql.white_space_class() || '|' || googlesql.white_space_class() || '$', '', 'g'),
    (a, what) AS trim(a, what);
CREATE OR REPLACE MACRO googlesql.ltrim(a) AS regexp_replace(a, '^' || googlesql.white_space_class(), ''), (a, what) AS ltrim(a, what);
CREATE OR REPLACE MACRO googlesql.rtrim(a) AS regexp_replace(a, googlesql.white_space_class() || '$', ''), (a, what) AS rtrim(a, what);
CREATE OR REPLACE MACRO googlesql.length(a VARCHAR) AS length(a), (a BLOB) AS octet_length(a);
CREATE OR REPLACE MACRO googlesql.byte_length(a VARCHAR) AS CAST(strlen(a) AS BIGINT), (a BLOB) AS octet_length(a);

CREATE OR REPLACE MACRO googlesql.natural_count(name, n) AS
    CASE WHEN n < 0 THEN CAST('Negative count in ' || name AS BIGINT) ELSE n END;
CREATE OR REPLACE MACRO googlesql.substr(a, position) AS
        substring(a, CASE WHEN position = 0 THEN 1 ELSE position END),
    (a, position, count) AS
        list_transform([struct_pack(a := a, p := CAST(position AS BIGINT), n := CAST(count AS BIGINT))], lambda v: CASE
            WHEN v.p = 0 OR v.p < -length(v.a) THEN substring(v.a, 1, googlesql.natural_count('SUBSTR', v.n))
            ELSE substring(v.a, v.p, googlesql.natural_count('SUBSTR', v.n)) END)[1];
CREATE OR REPLACE MACRO googlesql.left(a, n) AS left(a, googlesql.natural_count('LEFT', n));
CREATE OR REPLACE MACRO googlesql.right(a, n) AS right(a, googlesql.natural_count('RIGHT', n));
CREATE OR REPLACE MACRO googlesql.lpad(a, n, pad := ' ') AS lpad(a, CAST(googlesql.natural_count('LPAD', n) AS INTEGER), pad);
CREATE OR REPLACE MACRO googlesql.rpad(a, n, pad := ' ') AS rpad(a, CAST(googlesql.natural_count('RPAD', n) AS INTEGER), pad);
CREATE OR REPLACE MACRO googlesql.repeat(a, n) AS repeat(a, googlesql.natural_count('REPEAT', n));
CREATE OR REPLACE MACRO googlesql.split(a, separator := ',') AS string_split(a, separator);
CREATE OR REPLACE MACRO googlesql.strpos(a, b) AS CAST(instr(a, b) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.instr(a, b, position := 1, occurrence := 1) AS list_transform([struct_pack(a := a, b := b, p := CAST(position AS BIGINT), o := CAST(occurrence AS BIGINT))], lambda v:
        CASE WHEN v.a IS NULL OR v.b IS NULL OR v.p IS NULL OR v.o IS NULL THEN NULL
             WHEN v.p > 0 THEN coalesce(list_filter(range(v.p, length(v.a) + 1), lambda i: substring(v.a, i, length(v.b)) = v.b)[v.o], 0)
             ELSE coalesce(list_reverse(list_filter(range(1, length(v.a) + v.p + 2), lambda i: substring(v.a, i, length(v.b)) = v.b))[v.o], 0) END)[1];
-- A word starts after white space or one of these delimiters, as in ZetaSQL's initcap.
CREATE OR REPLACE MACRO googlesql.word_delimiters() AS googlesql.white_space() || '[](){}/|<>!?@"^#$&~_,.:;*%+-';
CREATE OR REPLACE MACRO googlesql.initcap(a, delimiters := googlesql.word_delimiters()) AS list_transform([struct_pack(a := lower(a), d := delimiters)], lambda v:
        CASE WHEN v.a = '' THEN '' WHEN v.a IS NOT NULL THEN list_aggregate(list_transform(range(1, length(v.a) + 1), lambda i:
            CASE WHEN i = 1 OR contains(v.d, substring(v.a, i - 1, 1)) THEN upper(substring(v.a, i, 1)) ELSE substring(v.a, i, 1) END), 'string_agg', '') END)[1];
CREATE OR REPLACE MACRO googlesql.starts_with(a, b) AS starts_with(a, b);
CREATE OR REPLACE MACRO googlesql.ends_with(a, b) AS suffix(a, b);
CREATE OR REPLACE MACRO googlesql.contains_substr(a, b) AS contains(lower(nfc_normalize(a)), lower(nfc_normalize(b)));
CREATE OR REPLACE MACRO googlesql.upper(a) AS upper(replace(a, 'ß', 'ss'));
CREATE OR REPLACE MACRO googlesql.ascii(a) AS CASE WHEN a = '' THEN 0 WHEN ascii(a) < 128 THEN CAST(ascii(a) AS BIGINT)
    ELSE CAST('Argument to ASCII is not a structurally valid ASCII string: ' || a AS BIGINT) END;
CREATE OR REPLACE MACRO googlesql.unicode(a) AS CASE WHEN a = '' THEN 0 ELSE CAST(unicode(a) AS BIGINT) END;
CREATE OR REPLACE MACRO googlesql.chr(n) AS CASE WHEN n = 0 THEN '' ELSE chr(CAST(n AS INTEGER)) END;
CREATE OR REPLACE MACRO googlesql.code_points_to_string(points) AS list_aggregate(list_transform(points, lambda v: chr(CAST(v AS INTEGER))), 'string_agg', '');
CREATE OR REPLACE MACRO googlesql.code_points_to_bytes(points) AS unhex(coalesce(list_aggregate(list_transform(points, lambda v: lpad(hex(v), 2, '0')), 'string_agg', ''), ''));
CREATE OR REPLACE MACRO googlesql.to_code_points(a VARCHAR) AS list_transform(string_split(a, ''), lambda v: CAST(unicode(v) AS BIGINT));
CREATE OR REPLACE MACRO googlesql.edit_distance(a, b) AS CAST(levenshtein(a, b) AS BIGINT);

CREATE OR REPLACE MACRO googlesql.regexp_contains(a, pattern) AS regexp_matches(a, pattern);
CREATE OR REPLACE MACRO googlesql.regexp_extract(a, pattern, capture) AS
    list_transform([a], lambda v: CASE WHEN regexp_matches(v, pattern) THEN regexp_extract(v, pattern, capture) END)[1];
CREATE OR REPLACE MACRO googlesql.regexp_extract_nth(a, pattern, capture, position, occurrence) AS
    regexp_extract_all(substring(a, position), pattern, capture)[occurrence];
CREATE OR REPLACE MACRO googlesql.regexp_extract_all(a, pattern, capture) AS regexp_extract_all(a, pattern, capture);
CREATE OR REPLACE MACRO googlesql.regexp_replace(a, pattern, replacement) AS regexp_replace(a, pattern, replacement, 'g');

CREATE OR REPLACE MACRO googlesql.to_hex(a) AS lower(hex(CAST(a AS BLOB)));
CREATE OR REPLACE MACRO googlesql.from_hex(a) AS unhex(CASE WHEN length(a) % 2 = 1 THEN '0' || a ELSE a END);
CREATE OR REPLACE MACRO googlesql.to_base64(a) AS to_base64(a);
CREATE OR REPLACE MACRO googlesql.from_base64(a) AS from_base64(rpad(rtrim(a, '='), CAST((length(rtrim(a, '=')) + 3) // 4 * 4 AS INTEGER), '='));
CREATE OR REPLACE MACRO googlesql.md5(a VARCHAR) AS unhex(md5(a)), (a BLOB) AS unhex(md5(a));
CREATE OR REPLACE MACRO googlesql.sha1(a VARCHAR) AS unhex(sha1(a)), (a BLOB) AS unhex(sha1(a));
CREATE OR REPLACE MACRO googlesql.sha256(a VARCHAR) AS unhex(sha256(a)), (a BLOB) AS unhex(sha256(a));
CREATE OR REPLACE MACRO googlesql.safe_convert_bytes_to_string(a) AS TRY(decode(a));
-- Five bits a character, in groups of eight characters.
CREATE OR REPLACE MACRO googlesql.from_base32(a) AS list_transform([rtrim(upper(a), '=')], lambda v:
    unhex(left(coalesce(list_aggregate(list_transform(range(0, length(v) // 8 + 1), lambda g:
        lpad(to_base(list_aggregate(list_transform(range(0, 8), lambda i: CAST(greatest(instr('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', rpad(substring(v, g * 8 + 1, 8), 8, 'A')[i + 1]) - 1, 0) AS BIGINT) << (35 - 5 * i)), 'sum')::BIGINT, 16), 10, '0')), 'string_agg', ''), ''),
        length(v) * 5 // 8 * 2)))[1];
