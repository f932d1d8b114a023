-- Operators and mathematical functions whose result type or rounding differs from DuckDB's own.
-- NUMERIC is DECIMAL(38,9); every result is brought back to it, rounded half away from zero.
-- Faults are raised by a cast that cannot succeed, not by error(): error() is volatile, and TRY refuses volatile functions.

CREATE OR REPLACE MACRO googlesql.multiply(a BIGINT, b BIGINT) AS a * b,
    (a DOUBLE, b DOUBLE) AS a * b,
    (a DECIMAL(38,9), b DECIMAL(38,9)) AS CAST(a * b AS DECIMAL(38,9)),
    (a UBIGINT[4], b UBIGINT[4]) AS bignumeric_multiply(a, b);

-- Exact to the ninth digit: ten digits by integer division, the tenth rounded away.
-- The dividend must stay below 1.7e19 for the intermediate value to fit HUGEINT; beyond, DuckDB raises an overflow.
CREATE OR REPLACE MACRO googlesql.divide_exactly(a, b) AS
    CAST(CAST((CAST(a * 1000000000 AS HUGEINT) * 10000000000) // CAST(b * 1000000000 AS HUGEINT) AS DECIMAL(38,0))
        * 0.0000000001 AS DECIMAL(38,9));

CREATE OR REPLACE MACRO googlesql.divide(a BIGINT, b BIGINT) AS
        CAST(a AS DOUBLE) / CASE WHEN b = 0 THEN CAST('division by zero' AS DOUBLE) ELSE CAST(b AS DOUBLE) END,
    (a DOUBLE, b DOUBLE) AS a / CASE WHEN b = 0 THEN CAST('division by zero' AS DOUBLE) ELSE b END,
    (a DECIMAL(38,9), b DECIMAL(38,9)) AS
        googlesql.divide_exactly(a, CASE WHEN b = 0 THEN CAST('division by zero' AS DECIMAL(38,9)) ELSE b END),
    (a UBIGINT[4], b UBIGINT[4]) AS bignumeric_divide(a, b);

-- DATE - DATE is an INTERVAL in BigQuery, a number of days in DuckDB.
CREATE OR REPLACE MACRO googlesql.subtract(a BIGINT, b BIGINT) AS a - b,
    (a DOUBLE, b DOUBLE) AS a - b,
    (a DECIMAL(38,9), b DECIMAL(38,9)) AS a - b,
    (a DATE, b BIGINT) AS a - CAST(b AS INTEGER),
    (a DATE, b DATE) AS to_days(CAST(a - b AS INTEGER)),
    (a TIMESTAMP, b TIMESTAMP) AS to_microseconds(epoch_us(a) - epoch_us(b)),
    (a TIMESTAMPTZ, b TIMESTAMPTZ) AS to_microseconds(epoch_us(a) - epoch_us(b)),
    (a UBIGINT[4], b UBIGINT[4]) AS bignumeric_subtract(a, b);

-- An operator with a floating-point literal: BigQuery gives the literal the type NUMERIC beside a NUMERIC, FLOAT64 beside all else.
CREATE OR REPLACE MACRO googlesql.literal_like(witness BIGINT, literal) AS CAST(literal AS DOUBLE),
    (witness DOUBLE, literal) AS CAST(literal AS DOUBLE),
    (witness DECIMAL(38,9), literal) AS CAST(literal AS DECIMAL(38,9));
CREATE OR REPLACE MACRO googlesql.add_literal(a BIGINT, b) AS a + CAST(b AS DOUBLE),
    (a DOUBLE, b) AS a + CAST(b AS DOUBLE),
    (a DECIMAL(38,9), b) AS a + CAST(b AS DECIMAL(38,9));
CREATE OR REPLACE MACRO googlesql.subtract_literal(a BIGINT, b) AS a - CAST(b AS DOUBLE),
    (a DOUBLE, b) AS a - CAST(b AS DOUBLE),
    (a DECIMAL(38,9), b) AS a - CAST(b AS DECIMAL(38,9));
CREATE OR REPLACE MACRO googlesql.subtract_from_literal(a BIGINT, b) AS CAST(b AS DOUBLE) - a,
    (a DOUBLE, b) AS CAST(b AS DOUBLE) - a,
    (a DECIMAL(38,9), b) AS CAST(b AS DECIMAL(38,9)) - a;
CREATE OR REPLACE MACRO googlesql.multiply_literal(a BIGINT, b) AS a * CAST(b AS DOUBLE),
    (a DOUBLE, b) AS a * CAST(b AS DOUBLE),
    (a DECIMAL(38,9), b) AS CAST(a * CAST(b AS DECIMAL(38,9)) AS DECIMAL(38,9));
CREATE OR REPLACE MACRO googlesql.divide_by_literal(a BIGINT, b) AS googlesql.divide(CAST(a AS DOUBLE), CAST(b AS DOUBLE)),
    (a DOUBLE, b) AS googlesql.divide(a, CAST(b AS DOUBLE)),
    (a DECIMAL(38,9), b) AS googlesql.divide(a, CAST(b AS DECIMAL(38,9)));
CREATE OR REPLACE MACRO googlesql.divide_literal_by(a BIGINT, b) AS googlesql.divide(CAST(b AS DOUBLE), CAST(a AS DOUBLE)),
    (a DOUBLE, b) AS googlesql.divide(CAST(b AS DOUBLE), a),
    (a DECIMAL(38,9), b) AS googlesql.divide(CAST(b AS DECIMAL(38,9)), a);

CREATE OR REPLACE MACRO googlesql.safe_divide(a BIGINT, b BIGINT) AS CAST(a AS DOUBLE) / CAST(nullif(b, 0) AS DOUBLE),
    (a DOUBLE, b DOUBLE) AS a / nullif(b, 0),
    (a DECIMAL(38,9), b DECIMAL(38,9)) AS googlesql.divide_exactly(a, nullif(b, 0)),
    (a UBIGINT[4], b UBIGINT[4]) AS TRY(bignumeric_divide(a, b));
CREATE OR REPLACE MACRO googlesql.safe_divide_by_literal(a BIGINT, b) AS CAST(a AS DOUBLE) / nullif(CAST(b AS DOUBLE), 0),
    (a DOUBLE, b) AS a / nullif(CAST(b AS DOUBLE), 0),
    (a DECIMAL(38,9), b) AS googlesql.divide_exactly(a, nullif(CAST(b AS DECIMAL(38,9)), 0));
CREATE OR REPLACE MACRO googlesql.safe_divide_literal_by(a BIGINT, b) AS CAST(b AS DOUBLE) / CAST(nullif(a, 0) AS DOUBLE),
    (a DOUBLE, b) AS CAST(b AS DOUBLE) / nullif(a, 0),
    (a DECIMAL(38,9), b) AS googlesql.divide_exactly(CAST(b AS DECIMAL(38,9)), nullif(a, 0));
CREATE OR REPLACE MACRO googlesql.ieee_divide(a, b) AS CAST(a AS DOUBLE) / CAST(b AS DOUBLE);

CREATE OR REPLACE MACRO googlesql.safe_add(a BIGINT, b BIGINT) AS TRY(a + b),
    (a DOUBLE, b DOUBLE) AS a + b, (a DECIMAL(38,9), b DECIMAL(38,9)) AS TRY(a + b),
    (a UBIGINT[4], b UBIGINT[4]) AS TRY(bignumeric_add(a, b));
CREATE OR REPLACE MACRO googlesql.safe_subtract(a BIGINT, b BIGINT) AS TRY(a - b),
    (a DOUBLE, b DOUBLE) AS a - b, (a DECIMAL(38,9), b DECIMAL(38,9)) AS TRY(a - b),
    (a UBIGINT[4], b UBIGINT[4]) AS TRY(bignumeric_subtract(a, b));
CREATE OR REPLACE MACRO googlesql.safe_multiply(a BIGINT, b BIGINT) AS TRY(a * b),
    (a DOUBLE, b DOUBLE) AS a * b,
    -- Beyond 38 digits on the way the product raises; NULL is for what is too large itself.
    (a DECIMAL(38,9), b DECIMAL(38,9)) AS CASE WHEN abs(CAST(a AS DOUBLE) * CAST(b AS DOUBLE)) < 1e29 THEN CAST(a * b AS DECIMAL(38,9)) END,
    (a UBIGINT[4], b UBIGINT[4]) AS TRY(bignumeric_multiply(a, b));
CREATE OR REPLACE MACRO googlesql.safe_negate(a BIGINT) AS TRY(CAST(-a AS BIGINT)), (a DOUBLE) AS -a, (a DECIMAL(38,9)) AS -a,
    (a UBIGINT[4]) AS TRY(bignumeric_negate(a));

CREATE OR REPLACE MACRO googlesql.mod(a BIGINT, b BIGINT) AS a % b, (a DECIMAL(38,9), b DECIMAL(38,9)) AS a % b,
    (a UBIGINT[4], b UBIGINT[4]) AS bignumeric_mod(a, b);
CREATE OR REPLACE MACRO googlesql.div(a BIGINT, b BIGINT) AS a // b,
    (a DECIMAL(38,9), b DECIMAL(38,9)) AS CAST(trunc(googlesql.divide_exactly(a, b)) AS DECIMAL(38,9)),
    (a UBIGINT[4], b UBIGINT[4]) AS bignumeric_div(a, b);
CREATE OR REPLACE MACRO googlesql.abs(a BIGINT) AS abs(a), (a DOUBLE) AS abs(a), (a DECIMAL(38,9)) AS abs(a),
    (a UBIGINT[4]) AS bignumeric_abs(a);
CREATE OR REPLACE MACRO googlesql.sign(a BIGINT) AS CAST(sign(a) AS BIGINT),
    (a DOUBLE) AS CASE WHEN isnan(a) THEN a ELSE CAST(sign(a) AS DOUBLE) END,
    (a DECIMAL(38,9)) AS CAST(sign(a) AS DECIMAL(38,9)),
    (a UBIGINT[4]) AS bignumeric_sign(a);
-- 2.675 is a little less than it looks: BigQuery rounds the number itself, DuckDB the product with a power of ten.
CREATE OR REPLACE MACRO googlesql.exact_decimal(v) AS CAST(format('{:.22f}', v) AS DECIMAL(38,22));
CREATE OR REPLACE MACRO googlesql.round_float64(v, digits) AS
    CASE WHEN digits > 22 THEN v
        WHEN digits >= 0 AND abs(v) >= 9007199254740992 THEN v
        WHEN digits >= 0 THEN CASE WHEN signbit(v) THEN -abs(CAST(round(googlesql.exact_decimal(v), CAST(digits AS INTEGER)) AS DOUBLE))
            ELSE CAST(round(googlesql.exact_decimal(v), CAST(digits AS INTEGER)) AS DOUBLE) END
        ELSE round(v, CAST(digits AS INTEGER)) END;
CREATE OR REPLACE MACRO googlesql.trunc_float64(v, digits) AS
    CASE WHEN digits > 22 THEN v
        WHEN digits >= 0 AND abs(v) >= 9007199254740992 THEN v
        WHEN digits >= 0 THEN CASE WHEN signbit(v) THEN -abs(CAST(trunc(googlesql.exact_decimal(v), CAST(digits AS INTEGER)) AS DOUBLE))
            ELSE CAST(trunc(googlesql.exact_decimal(v), CAST(digits AS INTEGER)) AS DOUBLE) END
        ELSE trunc(v, CAST(digits AS INTEGER)) END;
CREATE OR REPLACE MACRO googlesql.round(a BIGINT) AS CAST(a AS DOUBLE),
    (a DOUBLE) AS round(a),
    (a DECIMAL(38,9)) AS CAST(round(a, 0) AS DECIMAL(38,9)),
    (a BIGINT, digits) AS CASE WHEN digits >= 0 THEN CAST(a AS DOUBLE) ELSE round(CAST(a AS DOUBLE), CAST(digits AS INTEGER)) END,
    (a DOUBLE, digits) AS list_transform([a], lambda v: googlesql.round_float64(v, digits))[1],
    (a DECIMAL(38,9), digits) AS CAST(round(a, CAST(digits AS INTEGER)) AS DECIMAL(38,9)),
    (a UBIGINT[4]) AS bignumeric_round(a, CAST(0 AS BIGINT)),
    (a UBIGINT[4], digits) AS bignumeric_round(a, CAST(digits AS BIGINT));
-- To a number of digits that differs from row to row.
CREATE OR REPLACE MACRO googlesql.round_by(a BIGINT, digits) AS round_float64(CAST(a AS DOUBLE), CAST(digits AS BIGINT)), (a DOUBLE, digits) AS round_float64(a, CAST(digits AS BIGINT)),
    (a DECIMAL(38,9), digits) AS bignumeric_numeric(bignumeric_round(bignumeric_of_text(CAST(a AS VARCHAR)), CAST(digits AS BIGINT))), (a UBIGINT[4], digits) AS bignumeric_round(a, CAST(digits AS BIGINT));
CREATE OR REPLACE MACRO googlesql.trunc_by(a BIGINT, digits) AS trunc_float64(CAST(a AS DOUBLE), CAST(digits AS BIGINT)), (a DOUBLE, digits) AS trunc_float64(a, CAST(digits AS BIGINT)),
    (a DECIMAL(38,9), digits) AS bignumeric_numeric(bignumeric_trunc(bignumeric_of_text(CAST(a AS VARCHAR)), CAST(digits AS BIGINT))), (a UBIGINT[4], digits) AS bignumeric_trunc(a, CAST(digits AS BIGINT));
-- From the middle between two numbers to the even one; NUMERIC and BIGNUMERIC alone have it.
CREATE OR REPLACE MACRO googlesql.round_half_even(a DECIMAL(38,9), digits) AS bignumeric_numeric(bignumeric_round_even(bignumeric_of_text(CAST(a AS VARCHAR)), CAST(digits AS BIGINT))),
    (a UBIGINT[4], digits) AS bignumeric_round_even(a, CAST(digits AS BIGINT));
CREATE OR REPLACE MACRO googlesql.trunc(a BIGINT) AS CAST(a AS DOUBLE),
    (a DOUBLE) AS trunc(a),
    (a DECIMAL(38,9)) AS CAST(trunc(a) AS DECIMAL(38,9)),
    (a BIGINT, digits) AS CASE WHEN digits >= 0 THEN CAST(a AS DOUBLE) ELSE trunc(CAST(a AS DOUBLE), CAST(digits AS INTEGER)) END,
    (a DOUBLE, digits) AS list_transform([a], lambda v: googlesql.trunc_float64(v, digits))[1],
    (a DECIMAL(38,9), digits) AS CAST(trunc(a, CAST(digits AS INTEGER)) AS DECIMAL(38,9)),
    (a UBIGINT[4]) AS bignumeric_trunc(a, CAST(0 AS BIGINT)),
    (a UBIGINT[4], digits) AS bignumeric_trunc(a, CAST(digits AS BIGINT));
CREATE OR REPLACE MACRO googlesql.ceil(a BIGINT) AS CAST(a AS DOUBLE),
    (a DOUBLE) AS ceil(a), (a DECIMAL(38,9)) AS CAST(ceil(a) AS DECIMAL(38,9)),
    (a UBIGINT[4]) AS bignumeric_ceil(a);
CREATE OR REPLACE MACRO googlesql.floor(a BIGINT) AS CAST(a AS DOUBLE),
    (a DOUBLE) AS floor(a), (a DECIMAL(38,9)) AS CAST(floor(a) AS DECIMAL(38,9)),
    (a UBIGINT[4]) AS bignumeric_floor(a);

-- A finite argument must give a finite result: BigQuery raises where IEEE gives infinity or not-a-number.
CREATE OR REPLACE MACRO googlesql.finite(name, a, result) AS
    CASE WHEN result IS NULL OR isfinite(result) OR NOT isfinite(a) THEN result ELSE CAST('Floating point error in function: ' || name AS DOUBLE) END;
-- A NUMERIC that was computed as a FLOAT64: beyond 10^6 its nine decimals would be made up, and it raises.
CREATE OR REPLACE MACRO googlesql.told_numeric(name, result) AS list_transform([result], lambda v: CASE WHEN abs(v) < 1e6 OR v IS NULL THEN CAST(v AS DECIMAL(38,9))
    ELSE CAST('Floating point error in function: ' || name || ' of NUMERIC has 15 digits only' AS DECIMAL(38,9)) END)[1];
CREATE OR REPLACE MACRO googlesql.square(a) AS CASE WHEN a < 0 THEN CAST('Argument to SQRT cannot be negative: ' || a AS DOUBLE) ELSE CAST(a AS DOUBLE) END;
CREATE OR REPLACE MACRO googlesql.sqrt(a BIGINT) AS sqrt(googlesql.square(a)), (a DOUBLE) AS sqrt(googlesql.square(a)),
    (a DECIMAL(38,9)) AS googlesql.told_numeric('SQRT', sqrt(googlesql.square(a)));
CREATE OR REPLACE MACRO googlesql.exp(a BIGINT) AS googlesql.finite('EXP', a, exp(CAST(a AS DOUBLE))),
    (a DOUBLE) AS googlesql.finite('EXP', a, exp(a)),
    (a DECIMAL(38,9)) AS googlesql.told_numeric('EXP', exp(CAST(a AS DOUBLE)));
CREATE OR REPLACE MACRO googlesql.ln(a BIGINT) AS ln(CASE WHEN a <= 0 THEN CAST('Floating point error in function: LN' AS DOUBLE) ELSE CAST(a AS DOUBLE) END),
    (a DOUBLE) AS ln(CASE WHEN a = '-Infinity' THEN 'NaN' WHEN a <= 0 THEN CAST('Floating point error in function: LN' AS DOUBLE) ELSE a END),
    (a DECIMAL(38,9)) AS CAST(ln(CASE WHEN a <= 0 THEN CAST('Floating point error in function: LN' AS DOUBLE) ELSE CAST(a AS DOUBLE) END) AS DECIMAL(38,9));
CREATE OR REPLACE MACRO googlesql.log10(a BIGINT) AS log10(CASE WHEN a <= 0 THEN CAST('Floating point error in function: LOG10' AS DOUBLE) ELSE CAST(a AS DOUBLE) END),
    (a DOUBLE) AS log10(CASE WHEN a = '-Infinity' THEN 'NaN' WHEN a <= 0 THEN CAST('Floating point error in function: LOG10' AS DOUBLE) ELSE a END),
    (a DECIMAL(38,9)) AS CAST(log10(CASE WHEN a <= 0 THEN CAST('Floating point error in function: LOG10' AS DOUBLE) ELSE CAST(a AS DOUBLE) END) AS DECIMAL(38,9));
CREATE OR REPLACE MACRO googlesql.log(a, base) AS list_transform([struct_pack(a := CAST(a AS DOUBLE), b := CAST(base AS DOUBLE))], lambda v: CASE
    WHEN isnan(v.a) OR isnan(v.b) OR v.a = '-Infinity' OR isinf(v.b) OR isinf(v.a) AND v.b <= 0 THEN CAST('NaN' AS DOUBLE)
    WHEN v.a <= 0 OR v.b <= 0 OR v.b = 1 THEN CAST('Floating point error in function: LOG' AS DOUBLE)
    WHEN v.b = 10 THEN log10(v.a) WHEN v.b = 2 THEN log2(v.a) ELSE ln(v.a) / ln(v.b) END)[1];
-- Exact for the exponents 0 to 2, and for whole numbers with whole exponents.
CREATE OR REPLACE MACRO googlesql.numeric_pow(a, b) AS list_transform([struct_pack(a := CAST(a AS DECIMAL(38,9)), b := CAST(b AS DECIMAL(38,9)))], lambda v: CASE
    WHEN v.a IS NULL OR v.b IS NULL THEN NULL
    WHEN v.b = 0 THEN CAST(1 AS DECIMAL(38,9)) WHEN v.b = 1 THEN v.a
    WHEN v.b = 2 THEN CAST(v.a * v.a AS DECIMAL(38,9))
    WHEN v.b BETWEEN 3 AND 100 AND v.b = trunc(v.b) AND v.a = trunc(v.a) THEN
        CAST(list_reduce(list_transform(range(0, CAST(v.b AS BIGINT)), lambda i: CAST(v.a AS HUGEINT)), lambda x, y: x * y) AS DECIMAL(38,9))
    ELSE googlesql.told_numeric('POW', googlesql.finite('POW', CAST(v.a AS DOUBLE), pow(CAST(v.a AS DOUBLE), CAST(v.b AS DOUBLE)))) END)[1];
CREATE OR REPLACE MACRO googlesql.pow(a BIGINT, b BIGINT) AS googlesql.finite('POW', a, pow(CAST(a AS DOUBLE), CAST(b AS DOUBLE))),
    (a DOUBLE, b DOUBLE) AS googlesql.finite('POW', a, pow(a, b)),
    (a DECIMAL(38,9), b DECIMAL(38,9)) AS googlesql.numeric_pow(a, b);
-- Beyond their domains these give NaN or infinity, or DuckDB's own error.
CREATE OR REPLACE MACRO googlesql.acos(a) AS list_transform([CAST(a AS DOUBLE)], lambda v: CASE WHEN abs(v) > 1 AND isfinite(v) THEN CAST('Floating point error in function: ACOS' AS DOUBLE) WHEN isinf(v) THEN CAST('NaN' AS DOUBLE) ELSE acos(v) END)[1];
CREATE OR REPLACE MACRO googlesql.asin(a) AS list_transform([CAST(a AS DOUBLE)], lambda v: CASE WHEN abs(v) > 1 AND isfinite(v) THEN CAST('Floating point error in function: ASIN' AS DOUBLE) WHEN isinf(v) THEN CAST('NaN' AS DOUBLE) ELSE asin(v) END)[1];
CREATE OR REPLACE MACRO googlesql.acosh(a) AS list_transform([CAST(a AS DOUBLE)], lambda v: googlesql.finite('ACOSH', v, acosh(v)))[1];
CREATE OR REPLACE MACRO googlesql.atanh(a) AS list_transform([CAST(a AS DOUBLE)], lambda v: CASE WHEN abs(v) >= 1 AND isfinite(v) THEN CAST('Floating point error in function: ATANH' AS DOUBLE) WHEN isinf(v) THEN CAST('NaN' AS DOUBLE) ELSE atanh(v) END)[1];
CREATE OR REPLACE MACRO googlesql.cosh(a) AS list_transform([CAST(a AS DOUBLE)], lambda v: googlesql.finite('COSH', v, cosh(v)))[1];
CREATE OR REPLACE MACRO googlesql.sinh(a) AS list_transform([CAST(a AS DOUBLE)], lambda v: googlesql.finite('SINH', v, sinh(v)))[1];
CREATE OR REPLACE MACRO googlesql.cot(a) AS list_transform([CAST(a AS DOUBLE)], lambda v: CASE WHEN v = 0 THEN CAST('Floating point error in function: COT' AS DOUBLE) ELSE cot(v) END)[1];
CREATE OR REPLACE MACRO googlesql.coth(a) AS googlesql.divide(1e0, tanh(CAST(a AS DOUBLE)));
CREATE OR REPLACE MACRO googlesql.csc(a) AS googlesql.divide(1e0, sin(CAST(a AS DOUBLE)));
CREATE OR REPLACE MACRO googlesql.sec(a) AS googlesql.divide(1e0, cos(CAST(a AS DOUBLE)));
CREATE OR REPLACE MACRO googlesql.csch(a) AS googlesql.divide(1e0, sinh(CAST(a AS DOUBLE)));
CREATE OR REPLACE MACRO googlesql.sech(a) AS googlesql.divide(1e0, cosh(CAST(a AS DOUBLE)));
-- NULL if any argument is NULL, where DuckDB's greatest() and least() skip NULLs.
CREATE OR REPLACE MACRO googlesql.greatest(values) AS CASE WHEN len(values) = len(list_filter(values, lambda v: v IS NOT NULL)) THEN list_max(values) END;
-- NaN is DuckDB's largest number; in BigQuery it wins both ways.
CREATE OR REPLACE MACRO googlesql.least(values) AS CASE WHEN len(values) = len(list_filter(values, lambda v: v IS NOT NULL)) THEN
    CASE WHEN typeof(values) = 'DOUBLE[]' AND CAST(list_max(values) AS VARCHAR) = 'nan' THEN list_max(values) ELSE list_min(values) END END;
CREATE OR REPLACE MACRO googlesql.range_bucket(point, bounds) AS list_transform([struct_pack(p := point, b := bounds)], lambda v: CASE WHEN v.p IS NULL OR v.b IS NULL THEN NULL
    WHEN v.b <> list_sort(v.b) OR len(v.b) > len(list_filter(v.b, lambda w: w IS NOT NULL)) THEN CAST('Argument to RANGE_BUCKET must be sorted and without NULL: its array' AS BIGINT)
    ELSE CAST(len(list_filter(v.b, lambda w: w <= v.p)) AS BIGINT) END)[1];
-- DuckDB's own distances refuse NULLs in rows that are not even asked for.
CREATE OR REPLACE MACRO googlesql.dot(a, b) AS list_sum(list_transform(a, lambda x, i: x * b[i]));
CREATE OR REPLACE MACRO googlesql.vector_fault(name, a, b) AS CASE WHEN len(a) <> len(b) THEN CAST('Invalid arrays of different length: ' || name AS DOUBLE)
    WHEN len(list_filter(a || b, lambda w: w IS NULL)) > 0 THEN CAST('Invalid NULL in an array: ' || name AS DOUBLE) ELSE 0 END;
CREATE OR REPLACE MACRO googlesql.cosine_distance(a, b) AS list_transform([struct_pack(a := CAST(a AS DOUBLE[]), b := CAST(b AS DOUBLE[]))], lambda v: CASE
    WHEN v.a IS NULL OR v.b IS NULL OR googlesql.vector_fault('COSINE_DISTANCE', v.a, v.b) > 0 THEN NULL
    WHEN len(v.a) = 0 OR googlesql.dot(v.a, v.a) = 0 OR googlesql.dot(v.b, v.b) = 0 THEN CAST('Invalid zero vector: COSINE_DISTANCE' AS DOUBLE)
    ELSE googlesql.finite('COSINE_DISTANCE', list_sum(v.a) + list_sum(v.b), 1 - googlesql.dot(v.a, v.b) / (sqrt(googlesql.dot(v.a, v.a)) * sqrt(googlesql.dot(v.b, v.b)))) END)[1];
CREATE OR REPLACE MACRO googlesql.euclidean_distance(a, b) AS list_transform([struct_pack(a := CAST(a AS DOUBLE[]), b := CAST(b AS DOUBLE[]))], lambda v: CASE
    WHEN v.a IS NULL OR v.b IS NULL OR googlesql.vector_fault('EUCLIDEAN_DISTANCE', v.a, v.b) > 0 THEN NULL
    WHEN len(v.a) = 0 THEN 0e0
    ELSE googlesql.finite('EUCLIDEAN_DISTANCE', list_sum(v.a) + list_sum(v.b), sqrt(list_sum(list_transform(v.a, lambda x, i: (x - v.b[i]) * (x - v.b[i]))))) END)[1];
CREATE OR REPLACE MACRO googlesql.nullifzero(a) AS nullif(a, 0);
CREATE OR REPLACE MACRO googlesql.zeroifnull(a) AS coalesce(a, 0);
CREATE OR REPLACE MACRO googlesql.add(a BIGINT, b BIGINT) AS a + b, (a DOUBLE, b BIGINT) AS a + b,
    (a DECIMAL(38,9), b BIGINT) AS a + b, (a DATE, b BIGINT) AS a + CAST(b AS INTEGER);
CREATE OR REPLACE MACRO googlesql.bit_count(a BIGINT) AS CAST(bit_count(a) AS BIGINT),
    (a BLOB) AS CASE WHEN octet_length(a) = 0 THEN 0 ELSE CAST(bit_count(CAST(a AS BIT)) AS BIGINT) END;
-- `^` is a power in DuckDB. Bytes of one length are combined bit by bit.
CREATE OR REPLACE MACRO googlesql.bits(a, b) AS CASE WHEN octet_length(a) <> octet_length(b) THEN CAST(CAST('Argument to a bitwise operator differs in length' AS BIGINT) AS BLOB) ELSE a END;
CREATE OR REPLACE MACRO googlesql.bit_and(a BIGINT, b BIGINT) AS a & b,
    (a BLOB, b BLOB) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN octet_length(a) = 0 OR octet_length(b) = 0 THEN googlesql.bits(a, b) ELSE CAST(CAST(googlesql.bits(a, b) AS BIT) & CAST(b AS BIT) AS BLOB) END;
CREATE OR REPLACE MACRO googlesql.bit_or(a BIGINT, b BIGINT) AS a | b,
    (a BLOB, b BLOB) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN octet_length(a) = 0 OR octet_length(b) = 0 THEN googlesql.bits(a, b) ELSE CAST(CAST(googlesql.bits(a, b) AS BIT) | CAST(b AS BIT) AS BLOB) END;
CREATE OR REPLACE MACRO googlesql.bit_xor(a BIGINT, b BIGINT) AS xor(a, b),
    (a BLOB, b BLOB) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN octet_length(a) = 0 OR octet_length(b) = 0 THEN googlesql.bits(a, b) ELSE CAST(xor(CAST(googlesql.bits(a, b) AS BIT), CAST(b AS BIT)) AS BLOB) END;
CREATE OR REPLACE MACRO googlesql.bit_not(a BIGINT) AS ~a, (a BLOB) AS CASE WHEN octet_length(a) = 0 THEN a ELSE CAST(~CAST(a AS BIT) AS BLOB) END;
