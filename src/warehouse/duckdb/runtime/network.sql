-- Addresses and hosts. An address is 4 or 16 bytes in network order; here they are read by their hexadecimal digits.
CREATE OR REPLACE MACRO googlesql.ip_fault(what) AS CAST(CAST('Invalid IP address: ' || what AS BIGINT) AS BLOB);
CREATE OR REPLACE MACRO googlesql.ipv4_bytes(a) AS CASE WHEN regexp_full_match(a, '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}')
    THEN list_aggregate(list_transform(string_split(a, '.'), lambda p: lpad(hex(CAST(p AS BIGINT)), 2, '0')), 'string_agg', '') END;
CREATE OR REPLACE MACRO googlesql.ipv6_groups(a) AS CASE WHEN a = '' THEN '' ELSE list_aggregate(list_transform(string_split(a, ':'), lambda p: lpad(upper(p), 4, '0')), 'string_agg', '') END;
-- The last two groups may be written as an IPv4 address.
CREATE OR REPLACE MACRO googlesql.ipv6_plain(a) AS CASE WHEN contains(a, '.') THEN list_transform([googlesql.ipv4_bytes(regexp_extract(a, '[0-9.]+$'))], lambda t:
    regexp_replace(a, '[0-9.]+$', '') || t[1:4] || ':' || t[5:8])[1] ELSE a END;
CREATE OR REPLACE MACRO googlesql.ipv6_bytes(a) AS list_transform([googlesql.ipv6_plain(a)], lambda v: CASE
    WHEN regexp_full_match(v, '([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}') THEN googlesql.ipv6_groups(v)
    WHEN regexp_full_match(v, '(([0-9a-fA-F]{1,4}:)*[0-9a-fA-F]{1,4})?::(([0-9a-fA-F]{1,4}:)*[0-9a-fA-F]{1,4})?') THEN
        list_transform([struct_pack(h := googlesql.ipv6_groups(string_split(v, '::')[1]), t := googlesql.ipv6_groups(string_split(v, '::')[2]))], lambda w:
            CASE WHEN length(w.h) + length(w.t) <= 28 THEN w.h || repeat('0', 32 - length(w.h) - length(w.t)) || w.t END)[1] END)[1];
CREATE OR REPLACE MACRO googlesql.ip_hex(a) AS CASE WHEN contains(a, ':') THEN googlesql.ipv6_bytes(a) ELSE googlesql.ipv4_bytes(a) END;
CREATE OR REPLACE MACRO googlesql.net_safe_ip_from_string(a) AS list_transform([a], lambda v: unhex(googlesql.ip_hex(v)))[1];
CREATE OR REPLACE MACRO googlesql.net_ip_from_string(a) AS list_transform([a], lambda v: CASE WHEN v IS NOT NULL THEN coalesce(unhex(googlesql.ip_hex(v)), googlesql.ip_fault(v)) END)[1];
CREATE OR REPLACE MACRO googlesql.net_ip_net_mask(size, bits) AS list_transform([struct_pack(s := size, b := bits)], lambda v: CASE WHEN v.s IS NULL OR v.b IS NULL THEN NULL
    WHEN v.s NOT IN (4, 16) OR v.b < 0 OR v.b > v.s * 8 THEN googlesql.ip_fault('its mask')
    ELSE unhex(repeat('F', v.b // 4) || CASE WHEN v.b % 4 > 0 THEN substring('8CE', v.b % 4, 1) ELSE '' END || repeat('0', v.s * 2 - (v.b + 3) // 4)) END)[1];
CREATE OR REPLACE MACRO googlesql.net_ip_trunc(a, bits) AS list_transform([struct_pack(a := a, b := bits)], lambda v: CASE WHEN v.a IS NULL OR v.b IS NULL THEN NULL
    WHEN octet_length(v.a) NOT IN (4, 16) OR v.b < 0 OR v.b > octet_length(v.a) * 8 THEN googlesql.ip_fault('its length')
    ELSE CAST(CAST(v.a AS BIT) & CAST(googlesql.net_ip_net_mask(octet_length(v.a), v.b) AS BIT) AS BLOB) END)[1];
CREATE OR REPLACE MACRO googlesql.net_ipv4_from_int64(n) AS list_transform([n], lambda v: CASE WHEN v < -2147483648 OR v > 4294967295 THEN googlesql.ip_fault('out of range')
    ELSE unhex(lpad(hex(CASE WHEN v < 0 THEN v + 4294967296 ELSE v END), 8, '0')) END)[1];
CREATE OR REPLACE MACRO googlesql.net_ipv4_to_int64(a) AS list_transform([a], lambda v: CASE WHEN octet_length(v) <> 4 THEN CAST('Invalid IP address: not of 4 bytes' AS BIGINT)
    ELSE CAST('0x' || hex(v) AS BIGINT) END)[1];
CREATE OR REPLACE MACRO googlesql.ip_group(h, i) AS lower(coalesce(nullif(ltrim(h[i * 4 + 1:i * 4 + 4], '0'), ''), '0'));
-- The first of the longest runs of zero groups, if it has more than one, becomes `::`.
CREATE OR REPLACE MACRO googlesql.ipv6_text(h) AS list_transform([list_aggregate(list_transform(range(0, 8), lambda i: googlesql.ip_group(h, i)), 'string_agg', ':')], lambda t:
    list_transform([list_filter([8, 7, 6, 5, 4, 3, 2], lambda n: contains(':' || t || ':', repeat(':0', n) || ':'))[1]], lambda n: CASE WHEN n IS NULL THEN t
        ELSE list_transform([instr(':' || t || ':', repeat(':0', n) || ':')], lambda p: rtrim(left(':' || t || ':', p - 1), ':')[2:] || '::' || ltrim(substring(':' || t || ':', p + 2 * n), ':')[:-2])[1] END)[1])[1];
CREATE OR REPLACE MACRO googlesql.net_ip_to_string(a) AS list_transform([a], lambda v: CASE WHEN v IS NULL THEN NULL
    WHEN octet_length(v) = 4 THEN list_aggregate(list_transform(range(1, 8, 2), lambda i: CAST(CAST('0x' || hex(v)[i:i + 1] AS INTEGER) AS VARCHAR)), 'string_agg', '.')
    WHEN octet_length(v) = 16 THEN CASE WHEN starts_with(hex(v), '00000000000000000000FFFF') THEN '::ffff:' || list_aggregate(list_transform(range(25, 32, 2), lambda i: CAST(CAST('0x' || hex(v)[i:i + 1] AS INTEGER) AS VARCHAR)), 'string_agg', '.')
        ELSE googlesql.ipv6_text(hex(v)) END
    ELSE CAST(CAST('Invalid IP address: not of 4 or 16 bytes' AS BIGINT) AS VARCHAR) END)[1];
-- The host of an address of the Web: what stands between `//` or the start, without a user, and a port or path.
CREATE OR REPLACE MACRO googlesql.net_host(a) AS list_transform([regexp_replace(googlesql.trim(a), '^([A-Za-z][A-Za-z0-9+.-]*:)?//', '')], lambda v:
    nullif(ltrim(regexp_extract(regexp_replace(regexp_extract(v, '^[^/?#\\]*'), '^.*@', ''), '^(\[[^\]]*\]|[^:]*)'), '.'), ''))[1];
