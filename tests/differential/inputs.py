"""Inputs of the differential tests: for each kind of argument its type, its edge values and how further values are drawn.

Values are GoogleSQL literals, read by both sides. Everything is drawn from generators seeded with the kind's name,
so that a change in one kind leaves the values of the others alone.
"""

import datetime
import random

INT_EDGES = [0, 1, -1, 2, -2, 7, -7, 10, 63, 64, 100, 255, 256, -256, 2**31 - 1, -(2**31), 2**53, 2**53 + 1, -(2**53) - 1,
             2**62, 3_037_000_500, 2**63 - 2, 2**63 - 1, -(2**63) + 1, -(2**63)]
FLOAT_EDGES = ['0.0', '-0.0', '1.0', '-1.0', '0.5', '-0.5', '1.5', '2.5', '-2.5', '0.1', '0.3', '2.675', '1.005', '-1.005', '123456.789',
               '1e15', '1e16', '123456789012345678.0', '9007199254740993.0', '9.2233720368547758e18', '-9.2233720368547758e18', '1e20', '1e-7',
               '1.7976931348623157e308', '-1.7976931348623157e308', '5e-324', '2.2250738585072014e-308', '0.30000000000000004', '1e100', '-1e-100', '3.141592653589793']
SPECIAL = ["CAST('NaN' AS FLOAT64)", "CAST('inf' AS FLOAT64)", "CAST('-inf' AS FLOAT64)"]
NUMERIC_EDGES = ['0', '1', '-1', '0.5', '-0.5', '1.5', '2.5', '-2.5', '0.000000001', '-0.000000001', '0.000000005', '0.499999999',
                 '99999999999999999999999999999.999999999', '-99999999999999999999999999999.999999999', '99999999999999999999999999999',
                 '9223372036854775807', '9223372036854775807.5', '-9223372036854775808', '9223372036854775808', '1234567.891234567', '10', '100.01', '3.333333333',
                 '12345678901234567890.123456789', '-7.25', '2.675', '1.005']
BIG_EDGES = ['0', '1', '-1', '0.5', '-0.5', '2.5', '-2.5', '1e-38', '-1e-38', '5e-20', '0.00000000000000000000000000000000000005', '99999999999999999999999999999.999999999',
             '578960446186580977117854925043439539266.34992332820282019728792003956564819967', '-578960446186580977117854925043439539266.34992332820282019728792003956564819968',
             '9223372036854775807.5', '-9223372036854775808', '18446744073709551616', '340282366920938463463374607431768211456', '1234567.891234567', '3.33333333333333333333333333333333333333', '12345678901234567890.12345678901234567890123',
             '100', '1e20', '-7.25', '2.675', '9007199254740993']
TEXT_EDGES = ['', 'a', 'b', 'A', 'abc', 'ABC', 'aBc dEF', ' abc ', '\t abc\n', '\u00a0abc\u3000', '\u200babc', 'ab', 'abcabc', 'a,b,,c', ',', 'a,', 'ÀÉî', 'É',
              'E\u0301', 'e\u0301t\u00e9', '😀', 'x😀y😀', '👨\u200d👩\u200d👧', '🇧🇷ok', 'ß', 'Straße', 'İstanbul', 'ıI', 'ﬁn', 'ǆ', 'ΣΑΣ', 'σς', '한글', '\u1112\u1161\u11ab',
              '日本語', 'Å\u212b', 'it\'s', 'say "hi"', 'back\\slash', '100%', '%', '_', 'a_c', 'a%c', '\u0301', 'a\u0301\u0323', '\U0010ffff', '\ufffd', '①', 'x²',
              '123', '-12.5', ' 42', 'true', '2024-02-29', 'foo.bar@x.org', 'new\nline', 'tab\there', '\r\n', 'null', 'NULL', 'zzz', 'The quick brown fox', 'o\'neill-smith', 'aaa', 'aaaa', 'xyz' * 30]
WORD_EDGES = ['', 'apple', 'Apple', 'APPLE pie', 'a1b22c333', 'foo=1;bar=2', 'foo.bar@x.org', 'x', '12', '2024-02-29', 'aaa', 'abab', 'line one\nline two', 'ação', '😀1', 'a-b_c', '  lead', 'trail  ', 'ab12cd', '\t', 'É1', 'A.B', '(a)', '[b]', 'a|b', '$1', '\\d', 'foo', 'bar', 'foobar', 'barfoo', 'FOO']
ALPHABETS = ['abc', 'aAbB ', 'abcXYZ019', ' \t\n\u00a0\u3000a', 'éÉßñÀ', '😀🎉a', 'e\u0301\u0308o', ',;.-_ ab', '日本語한글', '%_\\a', '"\'`<>&']
DATE_EDGES = ['0001-01-01', '0001-01-07', '0001-12-31', '0004-02-29', '0999-12-31', '1000-01-01', '1582-10-15', '1600-02-29', '1899-12-31', '1900-02-28', '1900-03-01',
              '1969-12-31', '1970-01-01', '1972-02-29', '1999-12-31', '2000-01-01', '2000-02-29', '2004-12-31', '2005-01-01', '2005-01-02', '2006-01-01', '2008-12-29', '2008-12-30', '2009-01-01', '2009-12-31', '2010-01-03', '2010-01-04',
              '2012-01-01', '2015-12-31', '2016-01-03', '2016-01-04', '2016-02-29', '2017-01-01', '2018-12-31', '2019-12-30', '2020-02-29', '2020-12-31', '2021-01-03', '2021-03-31', '2023-01-01', '2024-01-31', '2024-02-29', '2024-03-10', '2024-11-03', '2024-12-29', '2024-12-30',
              '2026-12-31', '2100-02-28', '9999-01-01', '9999-12-25', '9999-12-31']
CLOCK_EDGES = ['00:00:00', '00:00:00.000001', '00:00:01', '00:59:59', '01:00:00', '01:30:00', '02:30:00', '09:05:03.100', '11:59:59.999999', '12:00:00', '12:34:56.789', '12:34:56.789012', '13:00:00', '23:00:00', '23:59:59', '23:59:59.999999']
JSON_EDGES = ['null', 'true', 'false', '0', '1', '-1', '1.5', '-0.0', '1e3', '1.50', '1e400', '9007199254740993', '9223372036854775807', '-9223372036854775808', '18446744073709551615', '123456789012345678901234567890', '0.1', '""', '"abc"', '"true"', '"False"', '"12"', '"1.5"', '" 7 "', '"NaN"', '"-inf"', '"é😀"', '"a\\\\nb\\\\u00e9\\\\\\"q"', '"<&>"', '[]', '{}', '[1, 2, 3]', '[null, "a", true, 1.5, [2], {"b": 3}]',
              '{"a": 1}', '{"a": {"b": [1, {"c": "x"}]}}', '{"a": null}', '{"a": "text", "b": [true, false]}', '{"a.b": 5, "c d": 6}', '{"b": 2, "a": 1}', '{"a": [10, 20, 30]}', '{"a": 1, "a": 2}', '{"": 1}', '{"A": 7}', '{"a": [{"b": 1}, {"b": 2}]}', '{"a":"1","b":["x",null,"y"]}', '["a", "b", "c"]', '[[1],[2,3]]', '{"price": 10.50}', '[1.0, 2e2, -3]', '["1", "x", "true"]', '[true, false]', '[0, 1, -1]']
JSON_BAD = ['', 'abc', '{"a": }', '{a: 1}', "{'a': 1}", '[1, 2', '1 2', '{"a": 1,}', '[1,]', 'NaN', 'tru', '"abc', '01', '+1', '.5', '1.', '{"a" 1}', ' {"a" : [ 1 , 2 ] } ', '\t[ ]\n', '{"a": "\\\\u00e9"}', 'nul', '[1] x', '"tab\there"']


def text(value):
    """A STRING literal."""
    for plain, escaped in (('\\', '\\\\'), ("'", "\\'"), ('\n', '\\n'), ('\r', '\\r'), ('\t', '\\t')):
        value = value.replace(plain, escaped)
    return f"'{value}'"


def array(element, literals):
    items = [f'CAST(NULL AS {element})' if literal == 'NULL' else literal for literal in literals]
    return f'CAST([{", ".join(items)}] AS ARRAY<{element}>)'


def numeric_text(rng):
    whole = rng.randrange(10 ** rng.randrange(1, 12))
    return f'{rng.choice(["", "-"])}{whole}.{rng.randrange(10 ** 9):09d}'[: rng.randrange(4, 24)].rstrip('.-') or '0'


def random_text(rng):
    alphabet = rng.choice(ALPHABETS)
    return ''.join(rng.choice(alphabet) for _ in range(rng.randrange(0, 13)))


def random_date(rng):
    span = rng.choice([(datetime.date(1, 1, 1), datetime.date(9999, 12, 31)), (datetime.date(1990, 1, 1), datetime.date(2035, 1, 1))])
    return datetime.date.fromordinal(rng.randint(span[0].toordinal(), span[1].toordinal())).isoformat()


def random_clock(rng):
    seconds = rng.randrange(86_400)
    fraction = rng.choice(['', '', f'.{rng.randrange(1000):03d}', f'.{rng.randrange(1_000_000):06d}'])
    return f'{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}'


def integer(value):
    return str(value) if value >= 0 else f'({value})'


class Kind:
    """A kind of argument: `type` is GoogleSQL's, `edges` literals, `draw` makes further ones."""

    def __init__(self, type_, edges, draw=None, null=True):
        self.type, self.edges, self.draw, self.null = type_, edges, draw, null


def ints(low, high):
    return Kind('INT64', [integer(n) for n in range(low, high + 1)])


KINDS = {
    'int': Kind('INT64', [integer(n) for n in INT_EDGES], lambda r: integer(r.choice([r.randrange(-1000, 1000), r.randrange(-(2**62), 2**62)]))),
    'mid': Kind('INT64', [integer(n) for n in [0, 1, -1, 2, -3, 5, 9, 10, 11, 99, 100, -100, 1234, 86400, -86401, 2**31]], lambda r: integer(r.randrange(-100_000, 100_000))),
    'n': ints(-6, 14),
    'count': ints(-1, 8),
    'pos': ints(0, 9),
    'months': Kind('INT64', [integer(n) for n in [0, 1, -1, 2, 6, 11, 12, -12, 13, 24, -25, 120, 1200]], lambda r: integer(r.randrange(-400, 400))),
    'year': Kind('INT64', [integer(n) for n in [0, 1, 4, 99, 1582, 1900, 1970, 2000, 2023, 2024, 9999, 10000, -1]], lambda r: integer(r.randrange(1, 10000))),
    'month': ints(0, 13),
    'dayno': ints(0, 32),
    'hour': ints(-1, 24),
    'minute': Kind('INT64', [integer(n) for n in [-1, 0, 1, 30, 59, 60]], lambda r: str(r.randrange(60))),
    'point': Kind('INT64', [integer(n) for n in [0, 1, 9, 32, 65, 97, 127, 128, 233, 255, 256, 0x0301, 0x3042, 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0xFFFD, 0x10000, 0x1F600, 0x10FFFF, 0x110000, -1]], lambda r: str(r.randrange(1, 0x3000))),
    'days': Kind('INT64', [integer(n) for n in [0, 1, -1, 365, 19000, -719162, -719163, 2932896, 2932897, 2**31, -(2**63)]], lambda r: integer(r.randrange(-700_000, 2_900_000))),
    'seconds': Kind('INT64', [integer(n) for n in [0, 1, -1, 59, 86399, 86400, 951782400, 1709164800, -62135596800, -62135596801, 253402300799, 253402300800, 2**62]], lambda r: integer(r.randrange(-62_135_596_800, 253_402_300_799))),
    'millis': Kind('INT64', [integer(n) for n in [0, 1, -1, 999, 1000, -1001, 951782400123, -62135596800000, -62135596800001, 253402300799999, 253402300800000, 2**62]], lambda r: integer(r.randrange(-62_135_596_800_000, 253_402_300_799_999))),
    'micros': Kind('INT64', [integer(n) for n in [0, 1, -1, 999999, 1000000, -1000001, 951782400123456, -62135596800000000, -62135596800000001, 253402300799999999, 253402300800000000, 2**63 - 1]], lambda r: integer(r.randrange(-62_135_596_800_000_000, 253_402_300_799_999_999))),
    'float': Kind('FLOAT64', [f'({e})' if e.startswith('-') else e for e in FLOAT_EDGES] + SPECIAL, lambda r: f'({r.uniform(-1000, 1000)!r})'),
    'unit': Kind('FLOAT64', ['0.0', '(-0.0)', '1.0', '(-1.0)', '0.5', '(-0.5)', '1.0000000001', '(-1.5)', '1e-9', '0.9999999999'] + SPECIAL, lambda r: f'({r.uniform(-1, 1)!r})'),
    'angle': Kind('FLOAT64', ['0.0', '(-0.0)', '1.0', '(-1.0)', '1.5707963267948966', '3.141592653589793', '(-3.141592653589793)', '6.283185307179586', '1e-9', '20.0', '(-20.0)', '710.0', '(-745.0)'] + SPECIAL, lambda r: f'({r.uniform(-12, 12)!r})'),
    'fplain': Kind('FLOAT64', ['0.0', '1.0', '(-1.0)', '0.5', '1.5', '2.5', '(-2.5)', '2.675', '1.005', '12.345', '0.1', '1e10'], lambda r: f'({r.uniform(-100, 100):.3f})'),
    'numeric': Kind('NUMERIC', [f"NUMERIC '{e}'" for e in NUMERIC_EDGES], lambda r: f"NUMERIC '{numeric_text(r)}'"),
    'nplain': Kind('NUMERIC', [f"NUMERIC '{e}'" for e in ['0', '1', '-1', '0.5', '1.5', '2.5', '-2.5', '2.675', '1.005', '0.000000001', '12345.6789', '100']], lambda r: f"NUMERIC '{r.randrange(-10**6, 10**6) / 1000}'"),
    'big': Kind('BIGNUMERIC', [f"BIGNUMERIC '{e}'" for e in BIG_EDGES], lambda r: f"BIGNUMERIC '{r.choice(['', '-'])}{r.randrange(10 ** r.randrange(1, 39))}.{r.randrange(10 ** r.randrange(1, 38))}'"),
    'bplain': Kind('BIGNUMERIC', [f"BIGNUMERIC '{e}'" for e in ['0', '1', '-1', '0.5', '1.5', '2.5', '-2.5', '1.005', '1e-20', '12345.6789', '100']], lambda r: f"BIGNUMERIC '{r.randrange(-10**9, 10**9) / 1000}'"),
    'zonename': Kind('STRING', [text(e) for e in ['UTC', 'America/New_York', 'America/Sao_Paulo', 'Asia/Kolkata', 'Pacific/Apia', '+05:30', '-3', 'UTC+2', 'Europe/Berlin', 'Nowhere/City', '', 'Z', '+15:00']]),
    'ivtext': Kind('STRING', [text(e) for e in ['', '1-2', '-1-2', '+1-2', '1-2 3', '1-2 -3', '1-2 3 4', '1-2 3 4:5', '1-2 3 4:5:6', '1-2 3 -4:5:6.5', '1-2 3 4:5:6.123456', '1-2 3 4:5:6.1234567', '3 4:5', '3 4:5:6.7', '3 4', '4:5', '4:5:6', '-4:5:6.000001', '4', '1-13', '10000-0', '10000-1', '0-0 3660000 0:0:0', '0-0 3660001 0:0:0', '0-0 0 99:99:99', '1-2  3', ' 1-2', '1-2 ', 'abc', 'P1Y2M3DT4H5M6.5S', 'PT1H', 'P1W', '-P1Y', 'P-1YT-2H', 'P', 'PT', 'P1', 'P1YT']], lambda r: text(f"{r.choice(['', '-'])}{r.randrange(50)}-{r.randrange(30)} {r.randrange(-99, 99)} {r.choice(['', '-'])}{r.randrange(99)}:{r.randrange(60)}:{r.randrange(60)}.{r.randrange(1000)}")),
    'bool': Kind('BOOL', ['TRUE', 'FALSE', 'TRUE', 'FALSE', 'TRUE', 'FALSE']),
    'text': Kind('STRING', [text(e) for e in TEXT_EDGES], lambda r: text(random_text(r))),
    'word': Kind('STRING', [text(e) for e in WORD_EDGES], lambda r: text(''.join(r.choice('abfo1 2.-=;') for _ in range(r.randrange(0, 12))))),
    'sub': Kind('STRING', [text(e) for e in ['', 'a', 'b', 'ab', 'abc', 'A', ',', ' ', '😀', 'é', 'e\u0301', 'ß', 'x', 'aa', 'B', '\u0301', 'bc', 'y', '%', '\\', 'I', 'σ']], lambda r: text(''.join(r.choice('abc') for _ in range(r.randrange(1, 3))))),
    'pad': Kind('STRING', [text(e) for e in ['', 'x', 'ab', '😀', 'e\u0301', ' ', '123']]),
    'like': Kind('STRING', [text(e) for e in ['', '%', '_', 'a%', '%a', '%b%', 'a_c', 'a\\%c', 'a\\_c', '%\\\\%', '__', '%é%', '_😀%', 'ABC', '%\n%', 'a%%c', '\\a', '%%', '_%', '%_']], lambda r: text(''.join(r.choice('ab%_') for _ in range(r.randrange(1, 5))))),
    'name': Kind('STRING', [text(e) for e in ['', 'Robert', 'Rupert', 'Rubin', 'Ashcraft', 'Ashcroft', 'Tymczak', 'Pfister', 'Honeyman', 'a', ' b', 'o\'neill', 'É', 'McDonald', '1abc', 'ab1c', 'Lloyd', 'VanDeusen', 'h', 'hw', 'abw', 'bhp', 'BB', 'schmidt']], lambda r: text(''.join(r.choice('abcdefghijklmnopqrstuvwxyz') for _ in range(r.randrange(0, 9))))),
    'phrase': Kind('STRING', [text(e) for e in ['hello world', 'HELLO WORLD', 'o\'neill', 'foo-bar baz_qux', 'a1b 2c', 'éa ÉB', '', ' x', 'ßa ßb', 'ab\tcd\nef', 'a.b,c;d', 'ŉa', 'ǆx']], lambda r: text(' '.join(''.join(r.choice('abCD-é\'') for _ in range(r.randrange(1, 5))) for _ in range(r.randrange(1, 4))))),
    'ascii': Kind('STRING', [text(e) for e in ['', 'a', 'A', ' ', '~', 'é', '😀', '\u0301', '0', 'zebra']], lambda r: text(''.join(r.choice('abcXYZ 09~') for _ in range(r.randrange(1, 6))))),
    'hex': Kind('STRING', [text(e) for e in ['', '00', 'ff', 'FF', 'f', 'abc', 'ABCDEF', '0g', 'zz', ' 12', '616263', 'é0']], lambda r: text(''.join(r.choice('0123456789abcdefABCDEF') for _ in range(r.randrange(0, 9))))),
    'base64': Kind('STRING', [text(e) for e in ['', 'YQ==', 'YQ=', 'YQ', 'YWI=', 'YWJj', 'YWJjZA==', '/+8=', '_-8=', 'Y', 'YW Jj', 'YWJj\n', '====', 'YW=J', 'é', 'A', 'AA=A', 'YWJjYWJj']], lambda r: text(''.join(r.choice('ABCDabcd0189+/') for _ in range(4 * r.randrange(0, 4))))),
    'base32': Kind('STRING', [text(e) for e in ['', 'ME======', 'MFRGG===', 'MFRGGZDF', 'MFRGGZDFMY======', 'me======', 'ME', 'M', '1', 'MFRGG', 'ME=====', 'MFRA====', 'GEZDGNBV']], lambda r: text(''.join(r.choice('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567') for _ in range(8 * r.randrange(0, 4))))),
    'intext': Kind('STRING', [text(e) for e in ['', '0', '1', '-1', '+42', ' 42 ', '\t42\n', '042', '0x1F', '-0x1F', '0X7fffffffffffffff', '0x8000000000000000', '0xffffffffffffffff', '-0x8000000000000000', '9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809', '1.0', '1e3', '4_2', 'abc', '--1', '+-1', '1 2', '0x', '\u00a042', '١٢', '00000000000000000000000000001', 'true', '1.', '.1', '٣']], lambda r: text(str(r.randrange(-10**9, 10**9)))),
    'floattext': Kind('STRING', [text(e) for e in ['', '0', '-0', '1.5', ' 1.5 ', '1.', '.5', '.', '+1.5e+3', '1e400', '-1e400', '1e-400', 'inf', '-INF', '+inf', 'Infinity', '-infinity', 'nan', 'NaN', '-nan', '+nan', 'infin', '1_0', '1,5', 'abc', '0x10', '1e', 'e5', '1e5.5', '1d', '1f', '9007199254740993', '0.1', '123456789012345678901234567890', '2.2250738585072014e-308', '4.9e-324', '1.7976931348623159e308', '\u00a01', '\t1\n', '--1', '1 2']], lambda r: text(repr(r.uniform(-10**6, 10**6)))),
    'numtext': Kind('STRING', [text(e) for e in ['', '0', '-0', '1.5', ' 1.5 ', '1.', '.5', '.', '+1.5', '-.5', '1e3', '1E-3', '1e28', '1e29', '1e-9', '1e-10', '5e-10', '4.9e-10', '1.0000000005', '1.0000000004', '0.9999999995', '99999999999999999999999999999.999999999', '99999999999999999999999999999.9999999995', '100000000000000000000000000000', '-99999999999999999999999999999.999999999', 'nan', 'inf', 'abc', '1,000', '1_0', '- 1', '$1', '1e', '0x10', '\t2\n', '00001.50', '--1', '1e400', '1 2']], lambda r: text(numeric_text(r))),
    'booltext': Kind('STRING', [text(e) for e in ['', 'true', 'false', 'TRUE', 'False', 'tRuE', ' true', 'true ', 't', 'f', '1', '0', 'yes', 'no', 'on', 'null']]),
    'datetext': Kind('STRING', [text(e) for e in ['', '2024-02-29', '2023-02-29', '2024-2-9', '0001-01-01', '0000-01-01', '9999-12-31', '10000-01-01', '2024-13-01', '2024-00-01', '2024-01-00', '2024-01-32', '2024/01/01', '20240101', ' 2024-01-01', '2024-01-01 ', '2024-01-01 10:00:00', '2024-01-01T00:00:00', '2024-01-01 00:00:00', '2024-01-01 00:00:00+00', '2024-01', '24-01-01', '-2024-01-01', '2024-001-01', 'abc', '2024-01-01Z', '2024-1-1']], lambda r: text(random_date(r))),
    'timetext': Kind('STRING', [text(e) for e in ['', '00:00:00', '1:2:3', '23:59:59.999999', '23:59:59.9999999', '23:59:60', '24:00:00', '12:00', '12:34:56.', '12:34:56.7', '12:34:56.1234567', '1:2', '12-34-56', ' 12:34:56', '12:34:56 ', '12:34:56Z', '12:60:00', 'abc', '12:34:56 PM', '012:00:00', '-1:00:00', '2024-01-01 12:00:00']], lambda r: text(random_clock(r))),
    'datetimetext': Kind('STRING', [text(e) for e in ['', '2024-02-29', '2024-02-29 1:2:3', '2024-02-29T10:20:30', '2024-02-29t10:20:30.5', '2024-02-29 10:20:30.123456', '2024-02-29 10:20:30.1234567', '2023-02-29 00:00:00', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999', '2024-01-01 10:20', '2024-01-01 24:00:00', '2024-01-01  10:00:00', '2024-01-01 10:00:00 ', ' 2024-01-01 10:00:00', '2024-01-01 10:00:00Z', '2024-01-01 10:00:00+00', '2024-1-1 1:1:1', '2024-01-01T', 'abc', '2024-01-01 23:59:60', '2024-01-01-10:00:00']], lambda r: text(f'{random_date(r)} {random_clock(r)}')),
    'tstext': Kind('STRING', [text(e) for e in ['', '2024-02-29', '2024-02-29 10:20:30', '2024-02-29T10:20:30Z', '2024-02-29 10:20:30z', '2024-02-29 10:20:30 UTC', '2024-02-29 10:20:30 utc', '2024-02-29 10:20:30+00', '2024-02-29 10:20:30-03', '2024-02-29 10:20:30+5', '2024-02-29 10:20:30+05:30', '2024-02-29 10:20:30-0330', '2024-02-29 10:20:30+14:00', '2024-02-29 10:20:30+14:01', '2024-02-29 10:20:30+15', '2024-02-29 10:20:30 +05:30', '2024-02-29+01', '2024-02-29 UTC', '2024-02-29Z', '2024-02-29 10:20:30.123456789Z', '2024-02-29 10:20:30.1234567Z', '2024-02-29 10:20:30.5-08', '0001-01-01 00:00:00+00', '0001-01-01 00:00:00+01', '9999-12-31 23:59:59.999999+00', '9999-12-31 23:59:59-01', '2023-02-29 00:00:00Z', '2024-01-01 10:20Z', '2024-01-01 24:00:00Z', '2024-01-01 10:20:60Z', ' 2024-01-01 10:00:00Z', '2024-01-01 10:00:00Z ', '2024-01-01 10:00:00 Z', 'abc', '2024-01-01 10:00:00+', '2024-01-01 10:00:00 Nowhere/Land', '2024-1-1 1:1:1+00:00', '2024-01-01 10:00:00 GMT']], lambda r: text(f'{random_date(r)} {random_clock(r)}+00')),
    'bytes': Kind('BYTES', [r"b''", r"b'a'", r"b'abc'", r"b'\x00'", r"b'\xff'", r"b'\x00\xff\x80'", r"b'\xc3\xa9'", r"b'\xc3'", r"b'\xf0\x9f\x98\x80'", r"b'\xed\xa0\x80'", r"b' abc '", r"b'a,b'", r"b'ABC'", r"b'\x7f\x80'", r"b'\xff\xff\xff\xff'", r"b'aaaa'", r"b'\xe2\x82'", r"b'\xc0\x80'"], lambda r: "b'" + ''.join(f'\\x{r.randrange(256):02x}' for _ in range(r.randrange(0, 9))) + "'"),
    'bsub': Kind('BYTES', [r"b''", r"b'a'", r"b'ab'", r"b'\xff'", r"b'\x00'", r"b','", r"b' '", r"b'\xc3'", r"b'bc'"]),
    'bword': Kind('BYTES', [r"b''", r"b'abc'", r"b'foo1'", r"b'foo=1;bar=2'", r"b'a\xffb'", r"b'ABC'", r"b'12'", r"b'\xc3\xa9a'"], lambda r: "b'" + ''.join(r.choice('abfo1 2') for _ in range(r.randrange(0, 9))) + "'"),
    'ip': Kind('STRING', [text(e) for e in ['', '0.0.0.0', '127.0.0.1', '255.255.255.255', '1.2.3', '1.2.3.4.5', '256.0.0.1', '01.2.3.4', '::', '::1', '48.49.50.51', 'fe80::1', '2001:db8::ff00:42:8329', '2001:0db8:0000:0000:0000:ff00:0042:8329', '::ffff:1.2.3.4', '1::2::3', ':::', 'g::1', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7', 'abc', ' 1.2.3.4', '1.2.3.4 ', '1.2.3.4/8', '3031:3233:3435:3637:3839:4041:4243:4445', '1::', 'ABCD::', '0:0:1:0:0:0:0:1']], lambda r: text('.'.join(str(r.randrange(256)) for _ in range(4)))),
    'ipbytes': Kind('BYTES', [r"b''", r"b'0123'", r"b'0123456789@ABCDE'", r"b'\x00\x00\x00\x00'", r"b'\xff\xff\xff\xff'", r"b'abc'", r"b'12345'", "b'" + r'\x00' * 16 + "'", "b'" + r'\x00' * 15 + r"\x01'", "b'" + r'\xff' * 16 + "'", r"b'\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01'", r"b'\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\xff\x00\x00\x42\x83\x29'", r"b'\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01'", "b'" + r'\x00' * 10 + r"\xff\xff\x01\x02\x03\x04'"], lambda r: "b'" + ''.join(f'\\x{r.choice([0, 0, 1, 255, r.randrange(256)]):02x}' for _ in range(r.choice([4, 4, 16]))) + "'"),
    'bits': ints(-1, 33),
    'ipv4': Kind('INT64', [integer(n) for n in [0, 1, -1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, -(2**31), -(2**31) - 1, 16909060]], lambda r: str(r.randrange(2**32))),
    'url': Kind('STRING', [text(e) for e in ['', 'http://www.google.com', 'https://a.b.co.uk:8080/path?q=1#f', 'www.Example.com', 'mailto:x@y.org', '//x.y.z/p', 'http://127.0.0.1/', 'http://[::1]:80/', 'ftp://user:pw@host.com.br/file', 'localhost', 'http://', 'a.b', 'HTTP://UPPER.COM', ' http://x.com ', 'http://x..com', 'http://.x.com.', 'com', 'http://co.uk', 'x@y.com', 'https://例え.jp/', 'http://a b.com', '//', 'http:///p', 'file:///etc', 'www.google.com:80', 'http://a?b=c', 'http://a#b', 'javascript:alert(1)', 'mailto:?to=x', '/path/only', '?q', 'http://xn--fsq.com', 'a.b.c.d.e.f', 'http://x.com\\\\y']], lambda r: text(r.choice(['http://', 'https://', '', '//']) + '.'.join(''.join(r.choice('abcxyz') for _ in range(r.randrange(1, 4))) for _ in range(r.randrange(1, 4))) + r.choice(['', '/p', ':80', '?q=1']))),
    'date': Kind('DATE', [f"DATE '{e}'" for e in DATE_EDGES], lambda r: f"DATE '{random_date(r)}'"),
    'datetime': Kind('DATETIME', [f"DATETIME '{d} {c}'" for d, c in [('0001-01-01', '00:00:00'), ('9999-12-31', '23:59:59.999999'), ('1970-01-01', '00:00:00'), ('1969-12-31', '23:59:59.999999'), ('2024-02-29', '12:34:56.789012'), ('2024-12-30', '00:00:00'), ('2005-01-01', '23:59:59.999'), ('2016-01-03', '11:59:59'), ('2024-03-10', '02:30:00'), ('2024-11-03', '01:30:00'), ('2018-11-04', '00:00:00'), ('2000-01-01', '00:00:00.000001')]], lambda r: f"DATETIME '{random_date(r)} {random_clock(r)}'"),
    'time': Kind('TIME', [f"TIME '{c}'" for c in CLOCK_EDGES], lambda r: f"TIME '{random_clock(r)}'"),
    'ts': Kind('TIMESTAMP', [f"TIMESTAMP '{d} {c}+00'" for d, c in [('0001-01-01', '00:00:00'), ('9999-12-31', '23:59:59.999999'), ('1970-01-01', '00:00:00'), ('1969-12-31', '23:59:59.999999'), ('2024-02-29', '12:34:56.789012'), ('2024-12-30', '00:00:00'), ('2005-01-01', '23:59:59.999'), ('2016-01-03', '11:59:59'), ('2024-03-10', '06:59:59'), ('2024-03-10', '07:00:00'), ('2024-11-03', '05:30:00'), ('2024-11-03', '06:30:00'), ('2018-11-04', '03:00:00'), ('2019-02-16', '23:30:00'), ('1883-11-18', '17:00:00'), ('1900-01-01', '00:00:00'), ('2100-07-01', '12:00:00'), ('2024-03-31', '01:00:00'), ('1960-01-01', '00:00:00.000001')]], lambda r: f"TIMESTAMP '{random_date(r)} {random_clock(r)}+00'"),
    'tsmodern': Kind('TIMESTAMP', [f"TIMESTAMP '{e}+00'" for e in ['1970-01-01 00:00:00', '2024-03-10 06:59:59', '2024-03-10 07:00:00', '2024-11-03 05:30:00', '2024-11-03 06:30:00', '2018-11-04 03:00:00', '2019-02-16 23:30:00', '2024-03-31 00:59:59', '2024-03-31 01:00:00', '2024-10-27 00:30:00', '2024-10-27 01:30:00', '2011-12-30 09:59:59', '2011-12-30 10:00:00', '1986-01-01 00:00:00']], lambda r: f"TIMESTAMP '{r.randrange(1971, 2037)}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d} {random_clock(r)}+00'"),
    'dtmodern': Kind('DATETIME', [f"DATETIME '{e}'" for e in ['1970-01-01 00:00:00', '2024-03-10 01:59:59', '2024-03-10 02:30:00', '2024-03-10 03:00:00', '2024-11-03 00:59:59', '2024-11-03 01:30:00', '2024-11-03 02:00:00', '2018-11-04 00:30:00', '2019-02-16 23:30:00', '2011-12-30 12:00:00', '2024-03-31 02:30:00']], lambda r: f"DATETIME '{r.randrange(1971, 2037)}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d} {random_clock(r)}'"),
    'datemodern': Kind('DATE', [f"DATE '{e}'" for e in ['2024-02-29', '2024-03-10', '2018-11-04', '1970-01-01', '2000-02-29', '2011-12-30', '1999-12-31']], lambda r: f"DATE '{r.randrange(1971, 2037)}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}'"),
    'near': Kind('DATE', [f"DATE '2024-{e}'" for e in ['01-01', '01-31', '02-28', '02-29', '03-01', '03-31', '12-31']], lambda r: f"DATE '2024-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}'"),
    'tsnear': Kind('TIMESTAMP', [f"TIMESTAMP '2024-01-01 {e}+00'" for e in ['00:00:00', '00:00:00.5', '01:00:00', '12:00:00', '23:59:59.999999']], lambda r: f"TIMESTAMP '2024-01-0{r.randrange(1, 4)} {random_clock(r)}+00'"),
    'json': Kind('JSON', [f"JSON '{e}'" for e in JSON_EDGES if e != '1e400' and e != '123456789012345678901234567890']),
    'jsontext': Kind('STRING', ["'" + e + "'" for e in JSON_EDGES] + [text(e.replace('\\\\', '\\')) for e in JSON_BAD]),
    'ints': Kind('ARRAY<INT64>', [array('INT64', e) for e in [[], ['1'], ['NULL'], ['1', '2', '3'], ['3', '1', '2', '1'], ['NULL', '1', 'NULL'], [integer(2**63 - 1), integer(-(2**63))], ['0', '0'], ['65', '66'], ['-1']]], lambda r: array('INT64', [r.choice([str(r.randrange(-5, 100)), str(r.randrange(-5, 100)), 'NULL']) if r.random() < 0.3 else str(r.randrange(-5, 100)) for _ in range(r.randrange(0, 7))])),
    'points': Kind('ARRAY<INT64>', [array('INT64', e) for e in [[], ['97'], ['NULL'], ['97', '233', '128512'], ['0'], ['55296'], ['1114111'], ['1114112'], ['-1'], ['255', '0', '128'], ['97', 'NULL']]], lambda r: array('INT64', [str(r.randrange(1, 300)) for _ in range(r.randrange(0, 6))])),
    'sorted': Kind('ARRAY<INT64>', [array('INT64', e) for e in [[], ['1'], ['0', '10', '20', '30'], ['10', '10', '20'], ['-5', '0', '5'], ['5', '1']]], lambda r: array('INT64', [str(n) for n in sorted(r.randrange(-20, 60) for _ in range(r.randrange(1, 7)))])),
    'texts': Kind('ARRAY<STRING>', [array('STRING', e) for e in [[], ["''"], ["'a'"], ['NULL'], ["'a'", "'b'", "'a'"], ["'a'", 'NULL', "'c'"], ["'😀'", "'e\u0301'"], ["'x,y'", "''"], ['NULL', 'NULL']]], lambda r: array('STRING', [r.choice(["'a'", "'b'", "'é'", "''", 'NULL', "'long text'", "'B'"]) for _ in range(r.randrange(0, 6))])),
    'blobs': Kind('ARRAY<BYTES>', [array('BYTES', e) for e in [[], ["b''"], ["b'a'"], ['NULL'], [r"b'\xff'", "b'b'"], ["b'a'", 'NULL', "b'c'"]]], lambda r: array('BYTES', [r.choice(["b'a'", r"b'\x00'", "b''"]) for _ in range(r.randrange(0, 5))])),
    'floats': Kind('ARRAY<FLOAT64>', [array('FLOAT64', e) for e in [[], ['1.0'], ['1.0', '2.0', '2.5'], ["CAST('NaN' AS FLOAT64)"], ['0.0', '(-0.0)'], ['NULL'], ['1e300', '1e300'], ['0.1', 'NULL']]], lambda r: array('FLOAT64', [f'({r.uniform(-9, 9):.2f})' for _ in range(r.randrange(0, 5))])),
    'vector': Kind('ARRAY<FLOAT64>', [array('FLOAT64', e) for e in [['1.0', '2.0', '3.0'], ['0.0', '0.0', '0.0'], ['1.0', '0.0', '0.0'], ['(-1.0)', '(-2.0)', '(-3.0)'], ['1e200', '1e200', '1e200'], ['1.0', '2.0'], [], ['1.0', 'NULL', '2.0'], ["CAST('NaN' AS FLOAT64)", '1.0', '1.0'], ["CAST('inf' AS FLOAT64)", '1.0', '1.0']]], lambda r: array('FLOAT64', [f'({r.uniform(-9, 9):.2f})' for _ in range(3)])),
    'dates': Kind('ARRAY<DATE>', [array('DATE', e) for e in [[], ["DATE '0001-01-01'"], ["DATE '2024-02-29'", 'NULL', "DATE '9999-12-31'"]]], lambda r: array('DATE', [f"DATE '{random_date(r)}'" for _ in range(r.randrange(0, 4))])),
    'pair': Kind('STRUCT<a INT64, b STRING>', ["STRUCT<a INT64, b STRING>(1, 'x')", "STRUCT<a INT64, b STRING>(NULL, 'x')", "STRUCT<a INT64, b STRING>(1, NULL)", "STRUCT<a INT64, b STRING>(NULL, NULL)", "STRUCT<a INT64, b STRING>(2, '')"], lambda r: f"STRUCT<a INT64, b STRING>({r.randrange(3)}, '{r.choice('xyz')}')"),
    'mixed': Kind('STRUCT<a FLOAT64, b NUMERIC, c DATE, d ARRAY<INT64>>', ["STRUCT<a FLOAT64, b NUMERIC, c DATE, d ARRAY<INT64>>(1.5, NUMERIC '2.50', DATE '2024-02-29', [1, 2])", "STRUCT<a FLOAT64, b NUMERIC, c DATE, d ARRAY<INT64>>(1e20, NUMERIC '0.1', NULL, [])", "STRUCT<a FLOAT64, b NUMERIC, c DATE, d ARRAY<INT64>>(NULL, NULL, DATE '0001-01-01', NULL)"], lambda r: f"STRUCT<a FLOAT64, b NUMERIC, c DATE, d ARRAY<INT64>>({r.uniform(-9, 9):.3f}, NUMERIC '{r.randrange(100) / 8}', DATE '{random_date(r)}', [{r.randrange(9)}])"),
}

# Literals that stand in the template itself, one question for each.
LITERALS = {
    'digits': ['0', '1', '2', '3', '5', '8', '9', '10', '15', '-1', '-2', '-5', '20', '-20'],
    'date_part': ['DAY', 'WEEK', 'WEEK(MONDAY)', 'WEEK(THURSDAY)', 'WEEK(SATURDAY)', 'ISOWEEK', 'MONTH', 'QUARTER', 'YEAR', 'ISOYEAR'],
    'time_part': ['MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR'],
    'datetime_part': ['MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'WEEK(TUESDAY)', 'ISOWEEK', 'MONTH', 'QUARTER', 'YEAR', 'ISOYEAR'],
    'zoned_part': ['MILLISECOND', 'HOUR', 'DAY', 'WEEK', 'WEEK(FRIDAY)', 'ISOWEEK', 'MONTH', 'QUARTER', 'YEAR', 'ISOYEAR'],
    'last_part': ['MONTH', 'QUARTER', 'YEAR', 'WEEK', 'WEEK(MONDAY)', 'WEEK(WEDNESDAY)', 'ISOWEEK', 'ISOYEAR'],
    'extract_date': ['DAYOFWEEK', 'DAY', 'DAYOFYEAR', 'WEEK', 'WEEK(MONDAY)', 'WEEK(WEDNESDAY)', 'ISOWEEK', 'MONTH', 'QUARTER', 'YEAR', 'ISOYEAR'],
    'extract_time': ['MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR'],
    'extract_datetime': ['MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR', 'DAYOFWEEK', 'DAY', 'DAYOFYEAR', 'WEEK', 'WEEK(SUNDAY)', 'WEEK(FRIDAY)', 'ISOWEEK', 'MONTH', 'QUARTER', 'YEAR', 'ISOYEAR', 'DATE', 'TIME'],
    'extract_ts': ['MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR', 'DAYOFWEEK', 'DAY', 'DAYOFYEAR', 'WEEK', 'WEEK(TUESDAY)', 'ISOWEEK', 'MONTH', 'QUARTER', 'YEAR', 'ISOYEAR', 'DATE', 'TIME', 'DATETIME'],
    'interval_part': ['YEAR', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND', 'MILLISECOND', 'MICROSECOND'],
    'add_date': ['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'],
    'add_time': ['MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR'],
    'add_datetime': ['MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'],
    'add_ts': ['MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR', 'DAY'],
    'zone': ["'UTC'", "'America/New_York'", "'America/Sao_Paulo'", "'Asia/Kolkata'", "'Pacific/Apia'", "'+05:30'", "'-08'"],
    'zone3': ["'UTC'", "'America/Sao_Paulo'", "'-03:30'"],
    'regex': ["r'a'", "r'^a'", "r'[a-z]+'", "r'(\\d+)'", "r'(?i)foo'", "r'foo=(\\d)'", "r'(a|b)c?'", "r''", "r'$'", "r'.'", "r'\\s+'", "r'^(?:foo|bar)'", "r'\\bfoo\\b'", "r'(?s)line.*two'", "r'\\pL+'", "r'[^a-z]'", "r'a*'", "r'(x)?a'", "r'\\.'"],
    'badregex': ["r'('", "r'[a'", "r'a**'", "r'(?<n'", "r'\\\\1(?=a)'"],
    'replacement': ["'x'", "''", "r'<\\0>'", "r'\\\\'", "'$1'", "'&'"],
    'format_date': ["'%Y-%m-%d'", "'%F'", "'%D'", "'%x'", "'%A %a'", "'%B %b %h'", "'%C'", "'%d'", "'%e'", "'%G'", "'%g'", "'%j'", "'%m'", "'%Q'", "'%U'", "'%u'", "'%V'", "'%W'", "'%w'", "'%y'", "'%Y'", "'%E4Y'", "'%%'", "'%n%t'", "'plain'", "''", "'%d/%m/%Y'", "'%Y%m%d'", "'%Y-%m'", "'%J'", "'%b %d, %Y'", "'é%Y'"],
    'format_time': ["'%H:%M:%S'", "'%T'", "'%R'", "'%I:%M %p'", "'%l'", "'%k'", "'%P'", "'%r'", "'%X'", "'%E*S'", "'%E3S'", "'%E6S'", "'%E0S'", "'%E1S'", "'%H%M%S'", "'%M'", "'%OS'", "'%OH'"],
    'format_datetime': ["'%c'", "'%F %T'", "'%Y-%m-%dT%H:%M:%E*S'", "'%a %b %e %H:%M:%S %Y'", "'%s'", "'%D %R'", "'%A %I%p'", "'%Y-%m-%d %H:%M:%S'", "'%FT%H:%M:%E3S'", "'%G-W%V-%u'", "'%E2S'"],
    'format_ts': ["'%c'", "'%F %T%Ez'", "'%Y-%m-%d %H:%M:%S%z'", "'%s'", "'%Z'", "'%Y-%m-%dT%H:%M:%E*SZ'", "'%F %H:%M:%E6S'", "'%E4Y'", "'%a, %d %b %Y'", "'%Q'"],
    'json_path': ["'$'", "'$.a'", "'$.a.b'", "'$.a.b[1].c'", "'$[0]'", "'$[1]'", "'$[5]'", "'$.b[0]'", "'$.a[0].b'", "'$.\"a.b\"'", "'$[\"c d\"]'", "'$.A'", "'$.price'"],
    'old_path': ["'$'", "'$.a'", "'$.a.b'", "'$[0]'", "'$.b[1]'", "\"$['a.b']\"", "\"$['c d']\"", "'$.a[0].b'"],
    'nform': ['NFC', 'NFD', 'NFKC', 'NFKD'],
    'target': ['STRING', 'INT64', 'FLOAT64', 'NUMERIC', 'BOOL', 'BYTES', 'DATE', 'DATETIME', 'TIME', 'TIMESTAMP'],
    'elements': ['INT64', 'FLOAT64', 'STRING'],
}
