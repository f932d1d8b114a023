-- Text. White space is Unicode's White_Space property, as ICU's u_isUWhiteSpace gives it to BigQuery.
-- Bytes as text with a character for each byte (U+0100 to U+01FF) and back, so that the functions of text do for bytes.
CREATE OR REPLACE MACRO googlesql.spread(a) AS list_transform([hex(a)], lambda h: CASE WHEN h = '' THEN '' ELSE
    list_aggregate(list_transform(range(1, length(h), 2), lambda i: chr(CAST('0x' || h[i:i + 1] AS INTEGER) + 256)), 'string_agg', '') END)[1];
CREATE OR REPLACE MACRO googlesql.gather(a) AS list_transform([a], lambda t: CASE WHEN t = '' THEN unhex('') ELSE
    unhex(list_aggregate(list_transform(string_split(t, ''), lambda c: lpad(hex(unicode(c) - 256), 2, '0')), 'string_agg', '')) END)[1];

CREATE OR REPLACE MACRO googlesql.white_space() AS
    chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(32) || chr(133) || chr(160) || chr(5760)
        || chr(8192) || chr(8193) || chr(8194) || chr(8195) || chr(8196) || chr(8197)
        || chr(8198) || chr(8199) || chr(8200) || chr(8201) || chr(8202) || chr(8232) || chr(8233) || chr(8239) || chr(8287) || chr(12288);
-- The same characters for a regular expression, which is several times faster than trim() with a list.
CREATE OR REPLACE MACRO googlesql.white_space_class() AS '[\t\n\v\f\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+';
CREATE OR REPLACE MACRO googlesql.trim(a) AS
        regexp_replace(a, '^' || googlesql.white_space_class() || '|' || googlesql.white_space_class() || '$', '', 'g'),
    (a VARCHAR, what VARCHAR) AS trim(a, what), (a BLOB, what BLOB) AS googlesql.gather(trim(googlesql.spread(a), googlesql.spread(what)));
CREATE OR REPLACE MACRO googlesql.ltrim(a) AS regexp_replace(a, '^' || googlesql.white_space_class(), ''), (a VARCHAR, what VARCHAR) AS ltrim(a, what),
    (a BLOB, what BLOB) AS googlesql.gather(ltrim(googlesql.spread(a), googlesql.spread(what)));
CREATE OR REPLACE MACRO googlesql.rtrim(a) AS regexp_replace(a, googlesql.white_space_class() || '$', ''), (a VARCHAR, what VARCHAR) AS rtrim(a, what),
    (a BLOB, what BLOB) AS googlesql.gather(rtrim(googlesql.spread(a), googlesql.spread(what)));
CREATE OR REPLACE MACRO googlesql.length(a VARCHAR) AS length(a), (a BLOB) AS octet_length(a);
CREATE OR REPLACE MACRO googlesql.byte_length(a VARCHAR) AS CAST(strlen(a) AS BIGINT), (a BLOB) AS octet_length(a);

CREATE OR REPLACE MACRO googlesql.natural_count(name, n) AS
    CASE WHEN n < 0 THEN CAST('Negative count in ' || name AS BIGINT) ELSE n END;
-- A place in a text: DuckDB takes 32 bits of it.
CREATE OR REPLACE MACRO googlesql.place(n) AS CASE WHEN n > 2147483647 THEN 2147483647 WHEN n < -2147483648 THEN -2147483648 ELSE CAST(n AS BIGINT) END;
CREATE OR REPLACE MACRO googlesql.part(a, position, count) AS
    list_transform([struct_pack(a := a, p := googlesql.place(position), n := googlesql.place(count))], lambda v: CASE
        WHEN v.a IS NULL OR v.p IS NULL OR v.n IS NULL THEN NULL
        WHEN v.p = 0 OR v.p < -length(v.a) THEN substring(v.a, 1, googlesql.natural_count('SUBSTR', v.n))
        ELSE substring(v.a, v.p, googlesql.natural_count('SUBSTR', v.n)) END)[1];
-- The common case: a position from 1 and a count from 0, known beforehand.
CREATE OR REPLACE MACRO googlesql.stretch(a VARCHAR, position, count) AS substring(a, position, count),
    (a BLOB, position, count) AS googlesql.gather(substring(googlesql.spread(a), position, count));
CREATE OR REPLACE MACRO googlesql.substr(a VARCHAR, position) AS substring(a, CASE WHEN position = 0 THEN 1 ELSE googlesql.place(position) END),
    (a BLOB, position) AS googlesql.gather(substring(googlesql.spread(a), CASE WHEN position = 0 THEN 1 ELSE googlesql.place(position) END)),
    (a VARCHAR, position, count) AS googlesql.part(a, position, count),
    (a BLOB, position, count) AS googlesql.gather(googlesql.part(googlesql.spread(a), position, count));
CREATE OR REPLACE MACRO googlesql.left(a VARCHAR, n) AS left(a, googlesql.natural_count('LEFT', n)),
    (a BLOB, n) AS googlesql.gather(left(googlesql.spread(a), googlesql.natural_count('LEFT', n)));
CREATE OR REPLACE MACRO googlesql.right(a VARCHAR, n) AS right(a, googlesql.natural_count('RIGHT', n)),
    (a BLOB, n) AS googlesql.gather(right(googlesql.spread(a), googlesql.natural_count('RIGHT', n)));
CREATE OR REPLACE MACRO googlesql.padding(pad) AS CASE WHEN pad = '' THEN CAST(CAST('Argument to LPAD or RPAD is an empty pattern' AS BIGINT) AS VARCHAR) ELSE pad END;
CREATE OR REPLACE MACRO googlesql.lpad(a VARCHAR, n) AS lpad(a, CAST(googlesql.natural_count('LPAD', n) AS INTEGER), ' '),
    (a BLOB, n) AS googlesql.gather(lpad(googlesql.spread(a), CAST(googlesql.natural_count('LPAD', n) AS INTEGER), chr(288))),
    (a VARCHAR, n, pad VARCHAR) AS lpad(a, CAST(googlesql.natural_count('LPAD', n) AS INTEGER), googlesql.padding(pad)),
    (a BLOB, n, pad BLOB) AS googlesql.gather(lpad(googlesql.spread(a), CAST(googlesql.natural_count('LPAD', n) AS INTEGER), googlesql.padding(googlesql.spread(pad))));
CREATE OR REPLACE MACRO googlesql.rpad(a VARCHAR, n) AS rpad(a, CAST(googlesql.natural_count('RPAD', n) AS INTEGER), ' '),
    (a BLOB, n) AS googlesql.gather(rpad(googlesql.spread(a), CAST(googlesql.natural_count('RPAD', n) AS INTEGER), chr(288))),
    (a VARCHAR, n, pad VARCHAR) AS rpad(a, CAST(googlesql.natural_count('RPAD', n) AS INTEGER), googlesql.padding(pad)),
    (a BLOB, n, pad BLOB) AS googlesql.gather(rpad(googlesql.spread(a), CAST(googlesql.natural_count('RPAD', n) AS INTEGER), googlesql.padding(googlesql.spread(pad))));
CREATE OR REPLACE MACRO googlesql.repeat(a, n) AS repeat(a, googlesql.natural_count('REPEAT', n));
CREATE OR REPLACE MACRO googlesql.split(a) AS string_split(a, ','),
    (a VARCHAR, separator VARCHAR) AS CASE WHEN separator IS NOT NULL THEN string_split(a, separator) END,
    (a BLOB, separator BLOB) AS CASE WHEN separator IS NOT NULL THEN
        list_transform(string_split(googlesql.spread(a), googlesql.spread(separator)), lambda part: googlesql.gather(part)) END;
CREATE OR REPLACE MACRO googlesql.strpos(a VARCHAR, b VARCHAR) AS CAST(instr(a, b) AS BIGINT),
    (a BLOB, b BLOB) AS CAST(instr(googlesql.spread(a), googlesql.spread(b)) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.place_in(a, b, position, occurrence) AS list_transform([struct_pack(a := a, b := b, p := googlesql.place(position), o := CAST(occurrence AS BIGINT))], lambda v:
        CASE WHEN v.a IS NULL OR v.b IS NULL OR v.p IS NULL OR v.o IS NULL THEN NULL
             WHEN v.p = 0 THEN CAST('Argument to INSTR must not be zero: position' AS BIGINT)
             WHEN v.o <= 0 THEN CAST('Argument to INSTR must be positive: occurrence' AS BIGINT)
             WHEN v.p > 0 THEN coalesce(list_filter(range(v.p, length(v.a) + CASE WHEN v.b = '' THEN 2 ELSE 1 END), lambda i: substring(v.a, i, length(v.b)) = v.b)[v.o], 0)
             ELSE coalesce(list_reverse(list_filter(range(1, length(v.a) + v.p + CASE WHEN v.b = '' THEN 3 ELSE 2 END), lambda i: substring(v.a, i, length(v.b)) = v.b))[v.o], 0) END)[1];
CREATE OR REPLACE MACRO googlesql.instr(a VARCHAR, b VARCHAR, position := 1, occurrence := 1) AS googlesql.place_in(a, b, position, occurrence),
    (a BLOB, b BLOB, position := 1, occurrence := 1) AS googlesql.place_in(googlesql.spread(a), googlesql.spread(b), position, occurrence);
-- A word starts after white space or one of these delimiters, as in ZetaSQL's initcap; a delimiter stays as it is.
CREATE OR REPLACE MACRO googlesql.word_delimiters() AS googlesql.white_space() || '[](){}/|\<>!?@"^#$&~_,.:;*%+-';
CREATE OR REPLACE MACRO googlesql.initcap(a, delimiters := googlesql.word_delimiters()) AS list_transform([struct_pack(a := string_split(a, ''), d := delimiters)], lambda v:
        CASE WHEN v.a = [''] THEN '' WHEN v.d IS NOT NULL THEN list_aggregate(list_transform(v.a, lambda c, i:
            CASE WHEN contains(v.d, c) AND c <> '' OR c = 'ß' THEN c WHEN i = 1 OR contains(v.d, v.a[i - 1]) THEN upper(c) ELSE lower(c) END), 'string_agg', '') END)[1];
CREATE OR REPLACE MACRO googlesql.starts_with(a VARCHAR, b VARCHAR) AS starts_with(a, b), (a BLOB, b BLOB) AS starts_with(hex(a), hex(b));
CREATE OR REPLACE MACRO googlesql.ends_with(a VARCHAR, b VARCHAR) AS suffix(a, b), (a BLOB, b BLOB) AS suffix(hex(a), hex(b));
CREATE OR REPLACE MACRO googlesql.contains_substr(a, b) AS contains(lower(nfc_normalize(a)), lower(nfc_normalize(b)));
CREATE OR REPLACE MACRO googlesql.letters(first) AS list_aggregate(list_transform(range(first, first + 26), lambda i: chr(CAST(i AS INTEGER))), 'string_agg', '');
-- One character becomes several in these cases alone; a sigma at a word's end stays a plain one.
-- Letters whose capital is several letters, each with those: SpecialCasing.txt of Unicode.
CREATE OR REPLACE MACRO googlesql.capitals() AS 'ßSS;ŉʼN;ǰJ̌;ΐΪ́;ΰΫ́;ևԵՒ;ẖH̱;ẗT̈;ẘW̊;ẙY̊;ẚAʾ;ὐΥ̓;ὒΥ̓̀;ὔΥ̓́;ὖΥ̓͂;ᾀἈΙ;ᾁἉΙ;ᾂἊΙ;ᾃἋΙ;ᾄἌΙ;ᾅἍΙ;ᾆἎΙ;ᾇἏΙ;ᾈἈΙ;ᾉἉΙ;ᾊἊΙ;ᾋἋΙ;ᾌἌΙ;ᾍἍΙ;ᾎἎΙ;ᾏἏΙ;ᾐἨΙ;ᾑἩΙ;ᾒἪΙ;ᾓἫΙ;ᾔἬΙ;ᾕἭΙ;ᾖἮΙ;ᾗἯΙ;ᾘἨΙ;ᾙἩΙ;ᾚἪΙ;ᾛἫΙ;ᾜἬΙ;ᾝἭΙ;ᾞἮΙ;ᾟἯΙ;ᾠὨΙ;ᾡὩΙ;ᾢὪΙ;ᾣὫΙ;ᾤὬΙ;ᾥὭΙ;ᾦὮΙ;ᾧὯΙ;ᾨὨΙ;ᾩὩΙ;ᾪὪΙ;ᾫὫΙ;ᾬὬΙ;ᾭὭΙ;ᾮὮΙ;ᾯὯΙ;ᾲᾺΙ;ᾳΑΙ;ᾴΆΙ;ᾶΑ͂;ᾷΑ͂Ι;ᾼΑΙ;ῂῊΙ;ῃΗΙ;ῄΉΙ;ῆΗ͂;ῇΗ͂Ι;ῌΗΙ;ῒΪ̀;ΐΪ́;ῖΙ͂;ῗΪ͂;ῢΫ̀;ΰΫ́;ῤΡ̓;ῦΥ͂;ῧΫ͂;ῲῺΙ;ῳΩΙ;ῴΏΙ;ῶΩ͂;ῷΩ͂Ι;ῼΩΙ;ﬀFF;ﬁFI;ﬂFL;ﬃFFI;ﬄFFL;ﬅST;ﬆST;ﬓՄՆ;ﬔՄԵ;ﬕՄԻ;ﬖՎՆ;ﬗՄԽ';
CREATE OR REPLACE MACRO googlesql.special_upper(a) AS list_aggregate(list_transform(regexp_extract_all(a, '[\x{DF}\x{149}\x{1F0}\x{390}\x{3B0}\x{587}\x{1E96}-\x{1E9A}\x{1F50}\x{1F52}\x{1F54}\x{1F56}\x{1F80}-\x{1FAF}\x{1FB2}-\x{1FB4}\x{1FB6}-\x{1FB7}\x{1FBC}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FC7}\x{1FCC}\x{1FD2}-\x{1FD3}\x{1FD6}-\x{1FD7}\x{1FE2}-\x{1FE4}\x{1FE6}-\x{1FE7}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FF7}\x{1FFC}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}]|[^\x{DF}\x{149}\x{1F0}\x{390}\x{3B0}\x{587}\x{1E96}-\x{1E9A}\x{1F50}\x{1F52}\x{1F54}\x{1F56}\x{1F80}-\x{1FAF}\x{1FB2}-\x{1FB4}\x{1FB6}-\x{1FB7}\x{1FBC}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FC7}\x{1FCC}\x{1FD2}-\x{1FD3}\x{1FD6}-\x{1FD7}\x{1FE2}-\x{1FE4}\x{1FE6}-\x{1FE7}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FF7}\x{1FFC}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}]+'), lambda "p$upper":
    coalesce(nullif(regexp_extract(googlesql.capitals(), '(?:^|;)' || regexp_escape("p$upper") || '([^;]+)', 1), ''), upper("p$upper"))), 'string_agg', '');
CREATE OR REPLACE MACRO googlesql.upper(a VARCHAR) AS CASE WHEN regexp_matches(a, '[\x{DF}\x{149}\x{1F0}\x{390}\x{3B0}\x{587}\x{1E96}-\x{1E9A}\x{1F50}\x{1F52}\x{1F54}\x{1F56}\x{1F80}-\x{1FAF}\x{1FB2}-\x{1FB4}\x{1FB6}-\x{1FB7}\x{1FBC}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FC7}\x{1FCC}\x{1FD2}-\x{1FD3}\x{1FD6}-\x{1FD7}\x{1FE2}-\x{1FE4}\x{1FE6}-\x{1FE7}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FF7}\x{1FFC}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}]') THEN googlesql.special_upper(a) ELSE upper(a) END,
    (a BLOB) AS googlesql.gather(translate(googlesql.spread(a), googlesql.letters(97 + 256), googlesql.letters(65 + 256)));
-- A capital sigma at a word's end becomes the one for that place.
CREATE OR REPLACE MACRO googlesql.lower(a VARCHAR) AS CASE WHEN contains(a, 'Σ') THEN lower(regexp_replace(replace(a, 'İ', 'i̇'), '([\p{Lu}\p{Ll}\p{Lt}][\p{Mn}\p{Me}\p{Cf}\p{Lm}\p{Sk}''.:·’]*)Σ([\p{Mn}\p{Me}\p{Cf}\p{Lm}\p{Sk}''.:·’]*(?:[^\p{Lu}\p{Ll}\p{Lt}\p{Mn}\p{Me}\p{Cf}\p{Lm}\p{Sk}''.:·’]|$))', '\1ς\2', 'g')) ELSE lower(replace(a, 'İ', 'i̇')) END,
    (a BLOB) AS googlesql.gather(translate(googlesql.spread(a), googlesql.letters(65 + 256), googlesql.letters(97 + 256)));
-- By characters, where DuckDB keeps those that are written as one together.
CREATE OR REPLACE MACRO googlesql.backwards(a) AS list_aggregate(list_reverse(string_split(a, '')), 'string_agg', '');
CREATE OR REPLACE MACRO googlesql.reverse(a VARCHAR) AS googlesql.backwards(a), (a BLOB) AS googlesql.gather(googlesql.backwards(googlesql.spread(a)));
CREATE OR REPLACE MACRO googlesql.replace(a VARCHAR, b VARCHAR, c VARCHAR) AS replace(a, b, c),
    (a BLOB, b BLOB, c BLOB) AS googlesql.gather(replace(googlesql.spread(a), googlesql.spread(b), googlesql.spread(c)));
CREATE OR REPLACE MACRO googlesql.each_once(characters) AS list_transform([characters], lambda c: CASE WHEN c <> '' AND len(list_distinct(string_split(c, ''))) < length(c)
    THEN CAST(CAST('Argument to TRANSLATE holds a character twice' AS BIGINT) AS VARCHAR) ELSE c END)[1];
CREATE OR REPLACE MACRO googlesql.translate(a VARCHAR, b VARCHAR, c VARCHAR) AS translate(a, googlesql.each_once(b), c),
    (a BLOB, b BLOB, c BLOB) AS googlesql.gather(translate(googlesql.spread(a), googlesql.each_once(googlesql.spread(b)), googlesql.spread(c)));
CREATE OR REPLACE MACRO googlesql.ascii(a) AS CASE WHEN a = '' THEN 0 WHEN ascii(a) < 128 THEN CAST(ascii(a) AS BIGINT)
    ELSE CAST('Argument to ASCII is not a structurally valid ASCII string: ' || a AS BIGINT) END;
CREATE OR REPLACE MACRO googlesql.unicode(a) AS CASE WHEN a = '' THEN 0 ELSE CAST(unicode(a) AS BIGINT) END;
CREATE OR REPLACE MACRO googlesql.character(n) AS CASE WHEN n < 0 OR n > 1114111 OR n BETWEEN 55296 AND 57343
    THEN CAST(CAST('Invalid codepoint ' || n AS BIGINT) AS VARCHAR) ELSE chr(CAST(n AS INTEGER)) END;
CREATE OR REPLACE MACRO googlesql.chr(n) AS list_transform([n], lambda v: googlesql.character(v))[1];
CREATE OR REPLACE MACRO googlesql.code_points_to_string(points) AS list_transform([points], lambda p: CASE WHEN len(p) = 0 THEN ''
    WHEN NOT list_contains(list_transform(p, lambda v: v IS NULL), TRUE) THEN list_aggregate(list_transform(p, lambda v: googlesql.character(v)), 'string_agg', '') END)[1];
CREATE OR REPLACE MACRO googlesql.code_points_to_bytes(points) AS list_transform([points], lambda p: CASE WHEN len(p) = 0 THEN unhex('')
    WHEN NOT list_contains(list_transform(p, lambda v: v IS NULL), TRUE) THEN unhex(list_aggregate(list_transform(p, lambda v:
        CASE WHEN v BETWEEN 0 AND 255 THEN lpad(hex(v), 2, '0') ELSE CAST(CAST('Invalid extended ASCII code point ' || v AS BIGINT) AS VARCHAR) END), 'string_agg', '')) END)[1];
CREATE OR REPLACE MACRO googlesql.to_code_points(a VARCHAR) AS CASE WHEN a = '' THEN CAST([] AS BIGINT[]) ELSE list_transform(string_split(a, ''), lambda v: CAST(unicode(v) AS BIGINT)) END,
    (a BLOB) AS CASE WHEN octet_length(a) = 0 THEN CAST([] AS BIGINT[]) ELSE list_transform(string_split(googlesql.spread(a), ''), lambda v: CAST(unicode(v) - 256 AS BIGINT)) END;
-- DuckDB compares bytes: each character gets a byte of its own, of which there are enough for any two texts worth comparing.
CREATE OR REPLACE MACRO googlesql.as_single_bytes(a, alphabet) AS coalesce(list_aggregate(list_transform(string_split(a, ''), lambda c: CASE WHEN list_position(alphabet, c) < 128
    THEN chr(CAST(list_position(alphabet, c) AS INTEGER)) ELSE CAST(CAST('Argument to EDIT_DISTANCE holds more than 127 different characters' AS BIGINT) AS VARCHAR) END), 'string_agg', ''), '');
CREATE OR REPLACE MACRO googlesql.distance(a, b) AS list_transform([struct_pack(a := a, b := b)], lambda v: CASE WHEN v.a IS NULL OR v.b IS NULL THEN NULL
    WHEN v.a = '' OR v.b = '' THEN CAST(length(v.a) + length(v.b) AS BIGINT)
    WHEN strlen(v.a) = length(v.a) AND strlen(v.b) = length(v.b) THEN CAST(levenshtein(v.a, v.b) AS BIGINT)
    ELSE list_transform([list_distinct(string_split(v.a || v.b, ''))], lambda w: CAST(levenshtein(googlesql.as_single_bytes(v.a, w), googlesql.as_single_bytes(v.b, w)) AS BIGINT))[1] END)[1];
CREATE OR REPLACE MACRO googlesql.edit_distance(a VARCHAR, b VARCHAR) AS googlesql.distance(a, b), (a BLOB, b BLOB) AS googlesql.distance(googlesql.spread(a), googlesql.spread(b)),
    (a VARCHAR, b VARCHAR, most) AS list_transform([struct_pack(d := googlesql.distance(a, b), m := googlesql.natural_count('EDIT_DISTANCE', most))], lambda v: CASE WHEN v.d IS NOT NULL AND v.m IS NOT NULL THEN least(v.d, v.m) END)[1];
-- The first letter as it is and the next three codes; letters of one code count once, those without a code do not part them.
CREATE OR REPLACE MACRO googlesql.soundex_runs(a) AS regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    a, '1+', '1', 'g'), '2+', '2', 'g'), '3+', '3', 'g'), '4+', '4', 'g'), '5+', '5', 'g'), '6+', '6', 'g');
CREATE OR REPLACE MACRO googlesql.soundex_codes(a) AS translate(upper(a), 'BFPVCGJKQSXZDTLMNRAEIOUYHW', '11112222222233455600000000');
CREATE OR REPLACE MACRO googlesql.soundex(a) AS list_transform([regexp_replace(a, '[^A-Za-z]', '', 'g')], lambda s: CASE WHEN s = '' THEN '' ELSE
    left(s, 1) || rpad(left(substring(googlesql.soundex_runs(googlesql.soundex_codes(left(s, 1)) || replace(googlesql.soundex_codes(substring(s, 2)), '0', '')), 2), 3), 3, '0') END)[1];

CREATE OR REPLACE MACRO googlesql.regexp_contains(a, pattern) AS regexp_matches(a, pattern);
CREATE OR REPLACE MACRO googlesql.regexp_extract(a, pattern, capture) AS
    list_transform([struct_pack(a := a, p := pattern)], lambda v: CASE WHEN regexp_matches(v.a, v.p) THEN regexp_extract(v.a, v.p, capture) END)[1];
CREATE OR REPLACE MACRO googlesql.regexp_start(name, n) AS CASE WHEN n < 1 THEN CAST('Argument to ' || name || ' must be positive: position or occurrence' AS BIGINT) ELSE n END;
CREATE OR REPLACE MACRO googlesql.regexp_extract_nth(a, pattern, capture, position, occurrence) AS
    regexp_extract_all(substring(a, googlesql.regexp_start('REGEXP_EXTRACT', position)), pattern, capture)[googlesql.regexp_start('REGEXP_EXTRACT', occurrence)];
-- Each match is put between two characters that no text has, and those before the wanted one are counted.
CREATE OR REPLACE MACRO googlesql.regexp_instr(a, pattern, position, occurrence, behind) AS
    list_transform([struct_pack(p := position, o := occurrence, parts := string_split(regexp_replace(substring(a, googlesql.regexp_start('REGEXP_INSTR', position)), pattern, chr(1114110) || '\0' || chr(1114111), 'g'), chr(1114110)))], lambda v:
        CASE WHEN v.parts IS NULL OR v.o IS NULL THEN NULL WHEN len(v.parts) <= googlesql.regexp_start('REGEXP_INSTR', v.o) THEN 0
             ELSE v.p + length(replace(list_aggregate(v.parts[1:v.o], 'string_agg', ''), chr(1114111), ''))
                + CASE WHEN behind THEN length(string_split(v.parts[v.o + 1], chr(1114111))[1]) ELSE 0 END END)[1];
CREATE OR REPLACE MACRO googlesql.regexp_extract_all(a, pattern, capture) AS regexp_extract_all(a, pattern, capture);
CREATE OR REPLACE MACRO googlesql.regexp_replace(a, pattern, replacement) AS regexp_replace(a, pattern, replacement, 'g');

CREATE OR REPLACE MACRO googlesql.to_hex(a) AS lower(hex(CAST(a AS BLOB)));
CREATE OR REPLACE MACRO googlesql.from_hex(a) AS unhex(CASE WHEN length(a) % 2 = 1 THEN '0' || a ELSE a END);
CREATE OR REPLACE MACRO googlesql.to_base64(a) AS to_base64(a);
CREATE OR REPLACE MACRO googlesql.to_base32(a) AS list_transform([hex(a)], lambda h: CASE WHEN h = '' THEN '' ELSE list_aggregate(list_transform(range(1, length(h), 10), lambda i:
    rpad(left(translate(lpad(to_base(CAST('0x' || rpad(h[i:i + 9], 10, '0') AS BIGINT), 32), 8, '0'), '0123456789ABCDEFGHIJKLMNOPQRSTUV', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'), CAST((length(h[i:i + 9]) * 4 + 4) // 5 AS INTEGER)), 8, '=')), 'string_agg', '') END)[1];
CREATE OR REPLACE MACRO googlesql.from_base64(a) AS list_transform([regexp_replace(a, '[ \t\r\n]', '', 'g')], lambda v:
    from_base64(CASE WHEN v IS NULL OR regexp_full_match(v, '([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==)?|[A-Za-z0-9+/]{3}=?)?') THEN rpad(v, CAST((length(v) + 3) // 4 * 4 AS INTEGER), '=')
        ELSE CAST(CAST('Invalid base64 string' AS BIGINT) AS VARCHAR) END))[1];
CREATE OR REPLACE MACRO googlesql.md5(a VARCHAR) AS unhex(md5(a)), (a BLOB) AS unhex(md5(a));
CREATE OR REPLACE MACRO googlesql.sha1(a VARCHAR) AS unhex(sha1(a)), (a BLOB) AS unhex(sha1(a));
CREATE OR REPLACE MACRO googlesql.sha256(a VARCHAR) AS unhex(sha256(a)), (a BLOB) AS unhex(sha256(a));
CREATE OR REPLACE MACRO googlesql.mended(a) AS list_aggregate(list_transform(regexp_extract_all(a,
    '[\x{100}-\x{17f}]+|[\x{1c2}-\x{1df}][\x{180}-\x{1bf}]|\x{1e0}[\x{1a0}-\x{1bf}][\x{180}-\x{1bf}]|[\x{1e1}-\x{1ec}\x{1ee}\x{1ef}][\x{180}-\x{1bf}]{2}|\x{1ed}[\x{180}-\x{19f}][\x{180}-\x{1bf}]|\x{1f0}[\x{190}-\x{1bf}][\x{180}-\x{1bf}]{2}|[\x{1f1}-\x{1f3}][\x{180}-\x{1bf}]{3}|\x{1f4}[\x{180}-\x{18f}][\x{180}-\x{1bf}]{2}|(?s:.)'),
    lambda u: coalesce(TRY(decode(googlesql.gather(u))), chr(65533))), 'string_agg', '');
-- What is no UTF-8 becomes U+FFFD, as many as ZetaSQL writes: the bytes that begin a character belong together.
CREATE OR REPLACE MACRO googlesql.safe_convert_bytes_to_string(a) AS list_transform([a], lambda v: coalesce(TRY(decode(v)), googlesql.mended(googlesql.spread(v))))[1];
-- Five bits a character, in groups of eight characters.
CREATE OR REPLACE MACRO googlesql.from_base32(a) AS list_transform([rtrim(upper(a), '=')], lambda v:
    unhex(left(coalesce(list_aggregate(list_transform(range(0, length(v) // 8 + 1), lambda g:
        lpad(to_base(list_aggregate(list_transform(range(0, 8), lambda i: CAST(greatest(instr('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', rpad(substring(v, g * 8 + 1, 8), 8, 'A')[i + 1]) - 1, 0) AS BIGINT) << (35 - 5 * i)), 'sum')::BIGINT, 16), 10, '0')), 'string_agg', ''), ''),
        length(v) * 5 // 8 * 2)))[1];
-- Each byte as the character of its number, for patterns.
CREATE OR REPLACE MACRO googlesql.text_of_bytes(a) AS list_transform([hex(a)], lambda "h$text": CASE WHEN "h$text" = '' THEN '' ELSE
    list_aggregate(list_transform(range(1, length("h$text"), 2), lambda "i$text": chr(CAST('0x' || substring("h$text", "i$text", 2) AS INTEGER))), 'string_agg', '') END)[1];
CREATE OR REPLACE MACRO googlesql.bytes_of_text(a) AS list_transform([a], lambda "t$bytes": CASE WHEN "t$bytes" = '' THEN unhex('') ELSE
    unhex(list_aggregate(list_transform(string_split("t$bytes", ''), lambda "c$bytes": lpad(hex(unicode("c$bytes")), 2, '0')), 'string_agg', '')) END)[1];
