-- SHA-512 (FIPS 180-4), for which DuckDB has no function: words of 64 bits in UHUGEINT, sums cut to 64 bits.
-- Constants: the first bits of the cube roots of the first 80 primes, and of the square roots of the first 8.
CREATE OR REPLACE MACRO googlesql.sha512_constants() AS CAST([
    4794697086780616226, 8158064640168781261, 13096744586834688815, 16840607885511220156, 4131703408338449720,
    6480981068601479193, 10538285296894168987, 12329834152419229976, 15566598209576043074, 1334009975649890238,
    2608012711638119052, 6128411473006802146, 8268148722764581231, 9286055187155687089, 11230858885718282805,
    13951009754708518548, 16472876342353939154, 17275323862435702243, 1135362057144423861, 2597628984639134821,
    3308224258029322869, 5365058923640841347, 6679025012923562964, 8573033837759648693, 10970295158949994411,
    12119686244451234320, 12683024718118986047, 13788192230050041572, 14330467153632333762, 15395433587784984357,
    489312712824947311, 1452737877330783856, 2861767655752347644, 3322285676063803686, 5560940570517711597,
    5996557281743188959, 7280758554555802590, 8532644243296465576, 9350256976987008742, 10552545826968843579,
    11727347734174303076, 12113106623233404929, 14000437183269869457, 14369950271660146224, 15101387698204529176,
    15463397548674623760, 17586052441742319658, 1182934255886127544, 1847814050463011016, 2177327727835720531,
    2830643537854262169, 3796741975233480872, 4115178125766777443, 5681478168544905931, 6601373596472566643,
    7507060721942968483, 8399075790359081724, 8693463985226723168, 9568029438360202098, 10144078919501101548,
    10430055236837252648, 11840083180663258601, 13761210420658862357, 14299343276471374635, 14566680578165727644,
    15097957966210449927, 16922976911328602910, 17689382322260857208, 500013540394364858, 748580250866718886,
    1242879168328830382, 1977374033974150939, 2944078676154940804, 3659926193048069267, 4368137639120453308,
    4836135668995329356, 5532061633213252278, 6448918945643986474, 6902733635092675308, 7801388544844847127] AS UHUGEINT[]);
CREATE OR REPLACE MACRO googlesql.sha512_start() AS CAST([
    7640891576956012808, 13503953896175478587, 4354685564936845355, 11912009170470909681, 5840696475078001361,
    11170449401992604703, 2270897969802886507, 6620516959819538809] AS UHUGEINT[]);
CREATE OR REPLACE MACRO googlesql.low64(v) AS (v) & CAST(18446744073709551615 AS UHUGEINT);
CREATE OR REPLACE MACRO googlesql.rotate64(v, n) AS googlesql.low64((v >> CAST(n AS UHUGEINT)) | (v << CAST(64 - n AS UHUGEINT)));
CREATE OR REPLACE MACRO googlesql.sha512_words(block) AS list_reduce(range(17, 81), lambda "w$sha512_words", "t$sha512_words": list_append("w$sha512_words", googlesql.low64(
    "w$sha512_words"["t$sha512_words" - 16] + "w$sha512_words"["t$sha512_words" - 7]
    + xor(xor(googlesql.rotate64("w$sha512_words"["t$sha512_words" - 15], 1), googlesql.rotate64("w$sha512_words"["t$sha512_words" - 15], 8)), "w$sha512_words"["t$sha512_words" - 15] >> CAST(7 AS UHUGEINT))
    + xor(xor(googlesql.rotate64("w$sha512_words"["t$sha512_words" - 2], 19), googlesql.rotate64("w$sha512_words"["t$sha512_words" - 2], 61)), "w$sha512_words"["t$sha512_words" - 2] >> CAST(6 AS UHUGEINT)))),
    list_transform(range(0, 16), lambda "i$sha512_words": CAST(CAST('0x' || substring(block, "i$sha512_words" * 16 + 1, 16) AS UBIGINT) AS UHUGEINT)));
CREATE OR REPLACE MACRO googlesql.sha512_first(s, k, w) AS s[8] + k + w
    + xor(xor(googlesql.rotate64(s[5], 14), googlesql.rotate64(s[5], 18)), googlesql.rotate64(s[5], 41))
    + xor(s[5] & s[6], googlesql.low64(xor(s[5], CAST(18446744073709551615 AS UHUGEINT))) & s[7]);
CREATE OR REPLACE MACRO googlesql.sha512_second(s) AS
    xor(xor(googlesql.rotate64(s[1], 28), googlesql.rotate64(s[1], 34)), googlesql.rotate64(s[1], 39))
    + xor(xor(s[1] & s[2], s[1] & s[3]), s[2] & s[3]);
CREATE OR REPLACE MACRO googlesql.sha512_block(h, block) AS list_transform([googlesql.sha512_words(block)], lambda "w$sha512_block":
    list_transform([list_reduce(range(1, 81), lambda "s$sha512_block", "t$sha512_block": [
        googlesql.low64(googlesql.sha512_first("s$sha512_block", googlesql.sha512_constants()["t$sha512_block"], "w$sha512_block"["t$sha512_block"]) + googlesql.sha512_second("s$sha512_block")), "s$sha512_block"[1], "s$sha512_block"[2], "s$sha512_block"[3],
        googlesql.low64("s$sha512_block"[4] + googlesql.sha512_first("s$sha512_block", googlesql.sha512_constants()["t$sha512_block"], "w$sha512_block"["t$sha512_block"])), "s$sha512_block"[5], "s$sha512_block"[6], "s$sha512_block"[7]], h)],
        lambda "s$sha512_block": list_transform(range(1, 9), lambda "i$sha512_block": googlesql.low64(h["i$sha512_block"] + "s$sha512_block"["i$sha512_block"])))[1])[1];
CREATE OR REPLACE MACRO googlesql.sha512_bytes(a) AS list_transform([hex(a)], lambda "message$sha512_bytes": CASE WHEN "message$sha512_bytes" IS NOT NULL THEN
    list_transform(["message$sha512_bytes" || '80' || repeat('0', (224 - (length("message$sha512_bytes") + 2)) % 256 + CASE WHEN (224 - (length("message$sha512_bytes") + 2)) % 256 < 0 THEN 256 ELSE 0 END)
        || lpad(hex(length("message$sha512_bytes") * 4), 32, '0')], lambda "padded$sha512_bytes":
    unhex(list_aggregate(list_transform(list_reduce(list_transform(range(0, length("padded$sha512_bytes") // 256), lambda "b$sha512_bytes": CAST(["b$sha512_bytes"] AS UHUGEINT[])), lambda "h$sha512_bytes", "b$sha512_bytes":
        googlesql.sha512_block("h$sha512_bytes", substring("padded$sha512_bytes", CAST("b$sha512_bytes"[1] AS BIGINT) * 256 + 1, 256)), googlesql.sha512_start()),
        lambda "v$sha512_bytes": lpad(hex(CAST("v$sha512_bytes" AS UBIGINT)), 16, '0')), 'string_agg', '')))[1] END)[1];
CREATE OR REPLACE MACRO googlesql.sha512(a VARCHAR) AS googlesql.sha512_bytes(encode(a)), (a BLOB) AS googlesql.sha512_bytes(a);

-- HyperLogLog++ sketches, as ZetaSketch writes them (https://github.com/google/zetasketch): a protocol buffer whose fields are
-- all variable-length integers. They stay in the sparse form, a sorted list of hash prefixes, whatever their size.
CREATE OR REPLACE MACRO googlesql.hll_times(a, b) AS googlesql.low64(a * b);
CREATE OR REPLACE MACRO googlesql.hll_mix(v) AS list_transform([v], lambda "x$hll_mix": xor("x$hll_mix", "x$hll_mix" >> CAST(47 AS UHUGEINT)))[1];
CREATE OR REPLACE MACRO googlesql.hll_k0() AS CAST(11941395971198343241 AS UHUGEINT);
CREATE OR REPLACE MACRO googlesql.hll_k3() AS CAST(14313749767032793493 AS UHUGEINT);
-- Fingerprint2011 of up to 32 bytes: words of 8 bytes, the bytes that are left over, the first and the last 8 bytes.
CREATE OR REPLACE MACRO googlesql.hll_murmur(words, rest, count) AS googlesql.hll_mix(googlesql.hll_times(googlesql.hll_mix(
    list_transform([list_reduce(words, lambda "h$hll_murmur", "w$hll_murmur": googlesql.hll_times(xor("h$hll_murmur", googlesql.hll_times(googlesql.hll_mix(googlesql.hll_times("w$hll_murmur", googlesql.hll_k3())), googlesql.hll_k3())), googlesql.hll_k3()),
        xor(CAST(17049395527385938141 AS UHUGEINT), googlesql.hll_times(count, googlesql.hll_k3())))], lambda "h$hll_murmur":
        CASE WHEN rest IS NULL THEN "h$hll_murmur" ELSE googlesql.hll_times(xor("h$hll_murmur", rest), googlesql.hll_k3()) END)[1]), googlesql.hll_k3()));
CREATE OR REPLACE MACRO googlesql.hll_pair(high, low) AS list_transform([struct_pack(h := high, l := low)], lambda "v$hll_pair":
    googlesql.hll_times(googlesql.hll_mix(googlesql.hll_times(xor("v$hll_pair".h, googlesql.hll_mix(googlesql.hll_times(xor("v$hll_pair".l, "v$hll_pair".h), googlesql.hll_k3()))), googlesql.hll_k3())), googlesql.hll_k3()))[1];
CREATE OR REPLACE MACRO googlesql.hll_hash(words, rest, count, u, v) AS
    googlesql.hll_pair(googlesql.low64(googlesql.hll_murmur(words, rest, CAST(count AS UHUGEINT)) + v), u);
CREATE OR REPLACE MACRO googlesql.hll_word(digits) AS CAST(CAST('0x' || regexp_replace(reverse(digits), '(.)(.)', '\2\1', 'g') AS UBIGINT) AS UHUGEINT);
CREATE OR REPLACE MACRO googlesql.hll_hash_bytes(a) AS list_transform([hex(a)], lambda "x$hll_hash_bytes": CASE
    WHEN length("x$hll_hash_bytes") > 64 THEN CAST(CAST('HLL_COUNT.INIT does not take values of more than 32 bytes' AS BIGINT) AS UHUGEINT)
    ELSE googlesql.hll_hash(list_transform(range(0, length("x$hll_hash_bytes") // 16), lambda "i$hll_hash_bytes": googlesql.hll_word(substring("x$hll_hash_bytes", "i$hll_hash_bytes" * 16 + 1, 16))),
        CASE WHEN length("x$hll_hash_bytes") % 16 > 0 THEN googlesql.hll_word(right("x$hll_hash_bytes", length("x$hll_hash_bytes") % 16)) END, length("x$hll_hash_bytes") // 2,
        CASE WHEN length("x$hll_hash_bytes") >= 16 THEN googlesql.hll_word(left("x$hll_hash_bytes", 16)) ELSE googlesql.hll_k0() END,
        CASE WHEN length("x$hll_hash_bytes") >= 18 THEN googlesql.hll_word(right("x$hll_hash_bytes", 16)) ELSE googlesql.hll_k0() END) END)[1];
CREATE OR REPLACE MACRO googlesql.hll_hash_int64(a) AS list_transform([CAST(CASE WHEN a < 0 THEN CAST(a AS HUGEINT) + 18446744073709551616 ELSE CAST(a AS HUGEINT) END AS UHUGEINT)], lambda "x$hll_hash_int64":
    googlesql.hll_hash(["x$hll_hash_int64"], NULL, 8, "x$hll_hash_int64", googlesql.hll_k0()))[1];
-- A prefix of `precision` + 5 bits; if the last 5 are zero, the first ones with the place of the next bit that is set.
CREATE OR REPLACE MACRO googlesql.hll_entry(hash, p) AS list_transform([hash], lambda "h$hll_entry":
    CASE WHEN ("h$hll_entry" >> CAST(59 - p AS UHUGEINT)) & CAST(31 AS UHUGEINT) <> 0 THEN CAST("h$hll_entry" >> CAST(59 - p AS UHUGEINT) AS BIGINT)
        ELSE (CAST(1 AS BIGINT) << (p + 6)) + CAST("h$hll_entry" >> CAST(64 - p AS UHUGEINT) AS BIGINT) * 64 + (60 - p) - CASE
            WHEN "h$hll_entry" & ((CAST(1 AS UHUGEINT) << CAST(59 - p AS UHUGEINT)) - 1) = 0 THEN 0
            ELSE length(ltrim(CAST(bin(CAST("h$hll_entry" & ((CAST(1 AS UHUGEINT) << CAST(59 - p AS UHUGEINT)) - 1) AS UBIGINT)) AS VARCHAR), '0')) END END)[1];
CREATE OR REPLACE MACRO googlesql.hll_value(a BIGINT, p) AS googlesql.hll_entry(googlesql.hll_hash_int64(a), p),
    (a VARCHAR, p) AS googlesql.hll_entry(googlesql.hll_hash_bytes(encode(a)), p), (a BLOB, p) AS googlesql.hll_entry(googlesql.hll_hash_bytes(a), p);
CREATE OR REPLACE MACRO googlesql.hll_varint(n) AS list_transform([CAST(n AS BIGINT)], lambda "number$hll_varint": list_aggregate(list_transform(range(0, CAST(greatest((length(ltrim(CAST(bin("number$hll_varint") AS VARCHAR), '0')) + 6) // 7, 1) AS BIGINT)), lambda "place$hll_varint":
    lpad(hex((("number$hll_varint" >> (7 * "place$hll_varint")) & 127) + CASE WHEN ("number$hll_varint" >> (7 * "place$hll_varint")) > 127 THEN 128 ELSE 0 END), 2, '0')), 'string_agg', ''))[1];
CREATE OR REPLACE MACRO googlesql.hll_distinct(entries, p) AS list_transform([list_sort(list_distinct(entries))], lambda "v$hll_distinct":
    list_filter("v$hll_distinct", lambda "x$hll_distinct", "i$hll_distinct": NOT coalesce("x$hll_distinct" >= CAST(1 AS BIGINT) << (p + 6) AND "v$hll_distinct"["i$hll_distinct" + 1] >> 6 = "x$hll_distinct" >> 6, FALSE)))[1];
CREATE OR REPLACE MACRO googlesql.hll_write(entries, total, p, kind) AS list_transform([googlesql.hll_distinct(entries, p)], lambda "v$hll_write":
    list_transform([list_aggregate(list_transform("v$hll_write", lambda "x$hll_write", "i$hll_write": googlesql.hll_varint("x$hll_write" - CASE WHEN "i$hll_write" = 1 THEN 0 ELSE "v$hll_write"["i$hll_write" - 1] END)), 'string_agg', '')], lambda "data$hll_write":
    list_transform(['10' || googlesql.hll_varint(CAST(len("v$hll_write") AS BIGINT)) || '18' || googlesql.hll_varint(CAST(p AS BIGINT)) || '20' || googlesql.hll_varint(CAST(p + 5 AS BIGINT))
        || '32' || googlesql.hll_varint(CAST(length("data$hll_write") // 2 AS BIGINT)) || "data$hll_write"], lambda "state$hll_write":
    unhex('087010' || googlesql.hll_varint(CAST(total AS BIGINT)) || '180220' || googlesql.hll_varint(CAST(kind AS BIGINT)) || '8207' || googlesql.hll_varint(CAST(length("state$hll_write") // 2 AS BIGINT)) || "state$hll_write"))[1])[1])[1];
CREATE OR REPLACE MACRO googlesql.hll_init(entries, total, p, kind) AS CASE WHEN total > 0 THEN googlesql.hll_write(entries, total, p, CASE kind WHEN 'BIGINT' THEN 8 ELSE 11 END) END;
-- All integers of a sketch; the entries follow the 18th, each less the one before.
CREATE OR REPLACE MACRO googlesql.hll_read(sketch) AS list_transform([regexp_extract_all(hex(sketch), '(?:[89A-F].)*[0-7].')], lambda "v$hll_read":
    list_transform("v$hll_read", lambda "x$hll_read": list_aggregate(list_transform(range(0, length("x$hll_read") // 2), lambda "i$hll_read": (CAST('0x' || substring("x$hll_read", "i$hll_read" * 2 + 1, 2) AS BIGINT) & 127) << (7 * "i$hll_read")), 'sum')::BIGINT))[1];
CREATE OR REPLACE MACRO googlesql.hll_parse(sketch) AS list_transform([googlesql.hll_read(sketch)], lambda "v$hll_parse": CASE
    WHEN "v$hll_parse" IS NULL THEN NULL
    WHEN "v$hll_parse"[1:2] = [8, 112] AND "v$hll_parse"[9] = 898 AND "v$hll_parse"[17] = 50 THEN "v$hll_parse"
    ELSE CAST(CAST('Invalid or incompatible sketch in an HLL_COUNT function' AS BIGINT)::VARCHAR AS BIGINT[]) END)[1];
CREATE OR REPLACE MACRO googlesql.hll_entries(v) AS list_transform(range(19, len(v) + 1), lambda "i$hll_entries": CAST(list_sum(v[19:"i$hll_entries"]) AS BIGINT));
CREATE OR REPLACE MACRO googlesql.hll_estimate(count, p) AS CAST(round((1 << (p + 5)) * -ln(1 - count / CAST(1 << (p + 5) AS DOUBLE))) AS BIGINT);
CREATE OR REPLACE MACRO googlesql.hll_union(sketches) AS list_transform([list_transform(list_filter(sketches, lambda "s$hll_union": "s$hll_union" IS NOT NULL), lambda "s$hll_union": googlesql.hll_parse("s$hll_union"))], lambda "parts$hll_union":
    CASE WHEN len(list_distinct(list_transform("parts$hll_union", lambda "v$hll_union": "v$hll_union"[14]))) > 1 OR len(list_distinct(list_transform("parts$hll_union", lambda "v$hll_union": "v$hll_union"[8]))) > 1
        THEN [CAST('Invalid or incompatible sketch in an HLL_COUNT function' AS BIGINT)]
        WHEN len("parts$hll_union") > 0 THEN list_concat([CAST(list_sum(list_transform("parts$hll_union", lambda "v$hll_union": "v$hll_union"[4])) AS BIGINT), "parts$hll_union"[1][14], "parts$hll_union"[1][8]], flatten(list_transform("parts$hll_union", lambda "v$hll_union": googlesql.hll_entries("v$hll_union")))) END)[1];
CREATE OR REPLACE MACRO googlesql.hll_extract(sketch) AS coalesce(list_transform([googlesql.hll_parse(sketch)], lambda "v$hll_extract": googlesql.hll_estimate(len("v$hll_extract") - 18, "v$hll_extract"[14]))[1], 0);
CREATE OR REPLACE MACRO googlesql.hll_merge(sketches) AS coalesce(list_transform([googlesql.hll_union(sketches)], lambda "v$hll_merge": googlesql.hll_estimate(len(googlesql.hll_distinct("v$hll_merge"[4:], "v$hll_merge"[2])), "v$hll_merge"[2]))[1], 0);
CREATE OR REPLACE MACRO googlesql.hll_merge_partial(sketches) AS list_transform([googlesql.hll_union(sketches)], lambda "v$hll_merge_partial": CASE WHEN "v$hll_merge_partial" IS NOT NULL THEN googlesql.hll_write("v$hll_merge_partial"[4:], "v$hll_merge_partial"[1], "v$hll_merge_partial"[2], "v$hll_merge_partial"[3]) END)[1];
