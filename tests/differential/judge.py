"""The judge of the differential tests: Google's own reference evaluator, ZetaSQL, as compiled to WebAssembly by `zetasql` of PyPI.

Reads the catalogue, makes the inputs, and prints JSON lines: `table` (a name and the query that makes it) and `question`
(a query in GoogleSQL with the types and values that the reference gives). Two runs print the same.
"""

import base64
import ctypes
import itertools
import json
import os
import random
import re
import struct
import sys
import zlib
from importlib.metadata import version
from pathlib import Path

import wasmtime
from zetasql.core import wasm_client
from zetasql.core.exceptions import ServerError
from zetasql.wasi import get_wasm_path
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.proto import options_pb2
from zetasql.wasi._pb2.zetasql.public import options_pb2 as public
from zetasql.wasi._pb2.zetasql.public import type_pb2

from inputs import KINDS, LITERALS

HERE = Path(__file__).parent
ROWS = 60
GROUPS = 52
LITERAL_ROWS = 6
# The names that the runtime's own lambdas and macros use most, so that a mix-up shows.
NAMES = 'veapsw'
# What the analyzer can do and BigQuery does not: timestamps finer than microseconds.
NOT_IN_BIGQUERY = ['FEATURE_TIMESTAMP_NANOS', 'FEATURE_TIMESTAMP_PICOS', 'FEATURE_TIMESTAMP_PRECISION', 'FEATURE_TIMESTAMP_PRECISION_ANNOTATION']


class Module:
    """Compiles WebAssembly once, and keeps the machine code beside it: 40 seconds the first time, then a tenth."""

    @staticmethod
    def from_file(engine, path):
        kept = Path(f'{path}.{version("wasmtime")}.compiled')
        if not kept.exists():
            part = Path(f'{path}.{os.getpid()}.part')
            part.write_bytes(wasmtime.Module.from_file(engine, path).serialize())
            part.rename(kept)
        return wasmtime.Module.deserialize_file(engine, str(kept))


class Client(wasm_client.WasmClient):
    """The client of `zetasql` with memory copied whole, not byte by byte."""

    def base(self):
        return ctypes.cast(self.memory.data_ptr(), ctypes.c_void_p).value

    def write_bytes(self, ptr, data):
        ctypes.memmove(self.base() + ptr, data, len(data))

    def read_bytes(self, ptr, size):
        return ctypes.string_at(self.base() + ptr, size)


class Refused(Exception):
    """The reference takes the question for invalid."""


class Failed(Exception):
    """The reference raises while it computes."""


class Judge:
    def __init__(self):
        wasm_client.Module = Module
        self.client = Client(str(get_wasm_path()))
        self.language = self.client.call_grpc_func(
            'ZetaSqlLocalService_GetLanguageOptions', service.LanguageOptionsRequest(maximum_features=True), options_pb2.LanguageOptionsProto)
        self.language.product_mode = public.PRODUCT_EXTERNAL
        off = {public.LanguageFeature.Value(name) for name in NOT_IN_BIGQUERY}
        features = sorted(set(self.language.enabled_language_features) - off)
        del self.language.enabled_language_features[:]
        self.language.enabled_language_features.extend(features)
        self.catalog = service.RegisterCatalogRequest()
        self.catalog.simple_catalog.name = 'reference'
        self.catalog.simple_catalog.builtin_function_options.language_options.CopyFrom(self.language)
        self.registered = None
        self.register()

    def register(self):
        self.registered = self.client.call_grpc_func('ZetaSqlLocalService_RegisterCatalog', self.catalog, service.RegisterResponse).registered_id

    def add_table(self, name, query):
        answer = self.answer(query)
        table = self.catalog.simple_catalog.table.add(name=name, serialization_id=len(self.catalog.simple_catalog.table) + 1)
        for column in answer.prepared.columns:
            table.column.add(name=column.name).type.CopyFrom(column.type)
        self.catalog.table_content[name].CopyFrom(answer.content)

    def answer(self, sql):
        request = service.EvaluateQueryRequest(sql=sql, registered_catalog_id=self.registered)
        request.options.language_options.CopyFrom(self.language)
        request.options.default_timezone = 'UTC'
        try:
            return self.client.call_grpc_func('ZetaSqlLocalService_EvaluateQuery', request, service.EvaluateQueryResponse)
        except ServerError as error:
            text = str(error)
            if text.startswith(('[INVALID_ARGUMENT]', '[UNIMPLEMENTED]')) and 'out of range' not in text.lower():
                raise Refused(text) from error
            raise Failed(text) from error

    def ask(self, sql):
        """Types of the columns, and the rows."""
        answer = self.answer(sql)
        types = [column.type for column in answer.prepared.columns]
        rows = [[value_of(cell, kind) for cell, kind in zip(row.cell, types)] for row in answer.content.table_data.row]
        return types, rows


KIND_NAMES = {type_pb2.TYPE_INT64: 'INT64', type_pb2.TYPE_BOOL: 'BOOL', type_pb2.TYPE_DOUBLE: 'FLOAT64', type_pb2.TYPE_STRING: 'STRING',
              type_pb2.TYPE_BYTES: 'BYTES', type_pb2.TYPE_DATE: 'DATE', type_pb2.TYPE_TIMESTAMP: 'TIMESTAMP', type_pb2.TYPE_DATETIME: 'DATETIME',
              type_pb2.TYPE_TIME: 'TIME', type_pb2.TYPE_NUMERIC: 'NUMERIC', type_pb2.TYPE_BIGNUMERIC: 'BIGNUMERIC', type_pb2.TYPE_JSON: 'JSON',
              type_pb2.TYPE_INTERVAL: 'INTERVAL'}


def type_name(kind):
    if kind.type_kind == type_pb2.TYPE_ARRAY:
        return f'ARRAY<{type_name(kind.array_type.element_type)}>'
    if kind.type_kind == type_pb2.TYPE_STRUCT:
        fields = [f'{field.field_name} {type_name(field.field_type)}'.strip() for field in kind.struct_type.field]
        return f'STRUCT<{", ".join(fields)}>'
    if kind.type_kind == type_pb2.TYPE_RANGE:
        return f'RANGE<{type_name(kind.range_type.element_type)}>'
    return KIND_NAMES.get(kind.type_kind, f'type {kind.type_kind}')


def fraction(nanos):
    micros = nanos // 1000
    return f'.{micros:06d}' if micros else ''


def decimal(raw, scale):
    number = int.from_bytes(raw, 'little', signed=True)
    digits = f'{abs(number):0{scale + 1}d}'
    text = f'{digits[:-scale]}.{digits[-scale:]}'.rstrip('0').rstrip('.')
    return f'-{text}' if number < 0 else text


def civil(days):
    import datetime
    return datetime.date.fromordinal(days + 719_163).isoformat()


def value_of(cell, kind):
    """A value in the form in which the embedded engine gives it; FLOAT64 as text, which loses nothing."""
    which = cell.WhichOneof('value')
    code = kind.type_kind
    if code == type_pb2.TYPE_ARRAY:
        return [value_of(item, kind.array_type.element_type) for item in cell.array_value.element]
    if which is None:
        return None
    if code == type_pb2.TYPE_STRUCT:
        return [value_of(item, field.field_type) for item, field in zip(cell.struct_value.field, kind.struct_type.field)]
    if code == type_pb2.TYPE_DOUBLE:
        return repr(cell.double_value)
    if code == type_pb2.TYPE_BYTES:
        return base64.b64encode(cell.bytes_value).decode()
    if code == type_pb2.TYPE_NUMERIC:
        return decimal(cell.numeric_value, 9)
    if code == type_pb2.TYPE_BIGNUMERIC:
        return decimal(cell.bignumeric_value, 38)
    if code == type_pb2.TYPE_DATE:
        return civil(cell.date_value)
    if code == type_pb2.TYPE_TIMESTAMP:
        days, seconds = divmod(cell.timestamp_value.seconds, 86_400)
        return f'{civil(days)}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction(cell.timestamp_value.nanos)}+00:00'
    if code == type_pb2.TYPE_DATETIME:
        bits = cell.datetime_value.bit_field_datetime_seconds
        day = f'{bits >> 26:04d}-{bits >> 22 & 15:02d}-{bits >> 17 & 31:02d}'
        return f'{day}T{bits >> 12 & 31:02d}:{bits >> 6 & 63:02d}:{bits & 63:02d}{fraction(cell.datetime_value.nanos)}'
    if code == type_pb2.TYPE_TIME:
        seconds, nanos = cell.time_value >> 30, cell.time_value & (1 << 30) - 1
        return f'{seconds >> 12 & 31:02d}:{seconds >> 6 & 63:02d}:{seconds & 63:02d}{fraction(nanos)}'
    if code == type_pb2.TYPE_RANGE:
        bounds = [value_of(bound, kind.range_type.element_type) for bound in (cell.range_value.start, cell.range_value.end)]
        return f'[{bounds[0] or "UNBOUNDED"}, {bounds[1] or "UNBOUNDED"})'
    if code == type_pb2.TYPE_INTERVAL:
        micros, days, packed = struct.unpack('<qiI', cell.interval_value)
        months = packed >> 13 & (1 << 18) - 1
        months = -months if packed >> 31 else months
        sign = lambda number: '-' if number < 0 else ''
        seconds = abs(micros) // 1_000_000
        clock = f'{sign(micros)}{seconds // 3600}:{seconds // 60 % 60}:{seconds % 60}'
        rest = f'.{abs(micros) % 1_000_000:06d}' if micros % 1_000_000 else ''
        return f'{sign(months)}{abs(months) // 12}-{abs(months) % 12} {days} {clock}{rest}'
    return getattr(cell, which)


class Template:
    """One line of the catalogue with its literals in place."""

    def __init__(self, function, mode, ulps, text, source):
        self.function, self.mode, self.ulps, self.text, self.source = function, mode, ulps, text, source
        self.kinds = re.findall(r'(?<!\{)\{(\w+)\}', text)

    def expression(self, values):
        """The template with a value in place of each column."""
        values = iter(values)
        return re.sub(r'\{(\w+)\}', lambda match: next(values) if match[1] in KINDS else match[0], self.text)


def catalogue(path):
    """Headings, functions that must be refused, and templates."""
    family = ''
    for line in path.read_text().splitlines():
        line = line.strip()
        if not line or line.startswith('#'):
            continue
        if line.startswith('[') and line.endswith(']') and ': ' not in line:
            family = line[1:-1]
            continue
        name, _, text = line.partition(': ')
        head = re.fullmatch(r'(.+?)([@#!]?)(?:~(\d+))?', name)
        function, mode, ulps = head[1], head[2], int(head[3] or 0)
        if mode == '!':
            yield family, function, None
            continue
        names = re.findall(r'\{=(\w+)\}', text)
        for literals in itertools.product(*(LITERALS[name] for name in names)):
            chosen = iter(literals)
            filled = re.sub(r'\{=\w+\}', lambda _: next(chosen), text)
            template = Template(function, mode, ulps, filled, text)
            template.kinds = [kind for kind in template.kinds if kind in KINDS]
            yield family, function, template


def values_of(kind, rows, rng):
    """So many literals of a kind: NULL, then the edges, then drawn ones and edges again."""
    known = KINDS[kind]
    null = f'CAST(NULL AS {known.type})'
    values = ([null] if known.null else []) + known.edges
    while len(values) < rows:
        values.append(known.draw(rng) if known.draw and rng.random() < 0.6 else rng.choice(known.edges))
    return values


def rows_of(kinds, groups):
    """Rows for a list of kinds; the values of one kind follow one another, those of several are mixed."""
    rng = random.Random(zlib.crc32(' '.join(kinds).encode()) + groups)
    rows = 0 if not kinds else max(ROWS, *(len(KINDS[kind].edges) + 1 for kind in kinds)) if len(kinds) == 1 or groups else 110
    if groups:
        rows = 200
    columns = []
    for index, kind in enumerate(kinds):
        values = values_of(kind, rows, rng)
        if len(kinds) > 1 or groups:
            head = values[0] if index % 2 == 0 or groups else values[-1]
            rng.shuffle(values)
            values[index] = head
        columns.append(values[:rows])
    return list(zip(*columns)) if kinds else [()]


def table_query(kinds, rows, groups):
    rng = random.Random(len(rows))
    columns = ''.join(f', {NAMES[index]} {KINDS[kind].type}' for index, kind in enumerate(kinds))
    of_group = lambda index: index % GROUPS if index < GROUPS else rng.randrange(GROUPS // 2)
    texts = [f'({index}, {of_group(index) if groups else index % 7}{"".join(", " + value for value in row)})' for index, row in enumerate(rows)]
    return f'SELECT * FROM UNNEST([STRUCT<i INT64, g INT64{columns}>{", ".join(texts)}])'


def isolated(judge, expressions, tail=''):
    """Each expression's type, and value or failure, by one query if the reference can do it."""
    asked = ', '.join(f'ISERROR({e}), NULLIFERROR({e})' for e in expressions)
    try:
        types, rows = judge.ask(f'SELECT {asked}{tail}')
        return types, rows
    except (Refused, Failed):
        return None


def main():
    judge = Judge()
    entries = list(catalogue(HERE / 'catalogue.txt'))
    if len(sys.argv) > 1:
        entries = [entry for entry in entries if entry[1] in sys.argv[1:]]
    tables = {}
    out = sys.stdout

    def emit(value):
        out.write(json.dumps(value, ensure_ascii=False) + '\n')

    for _, _, template in entries:
        if template is None or not template.kinds and not template.mode:
            continue
        key = (tuple(template.kinds), template.mode == '@' or template.mode == '#')
        if key not in tables:
            name = f'input_{len(tables)}'
            rows = rows_of(template.kinds, key[1]) if template.kinds else rows_of(['n'], True)
            query = table_query(template.kinds, rows if template.kinds else [() for _ in rows], key[1])
            tables[key] = (name, rows)
            judge.add_table(name, query)
            emit({'table': name, 'sql': query})
    judge.register()

    for family, function, template in entries:
        if template is None:
            emit({'family': family, 'function': function, 'refused': True})
            continue
        head = {'family': family, 'function': function, 'template': template.source, 'ulps': template.ulps}
        if not template.kinds and not template.mode:
            emit(head | {'sql': f'SELECT {template.text} AS v'} | outcome(judge, template.text))
            continue
        name, rows = tables[(tuple(template.kinds), template.mode in ('@', '#'))]
        expression = template.expression(NAMES[index] for index in range(len(template.kinds)))
        if template.mode == '#':
            sql = f'SELECT i, {expression} AS v FROM {name} ORDER BY i'
            emit(head | {'table': name, 'by': 'i', 'whole': True, 'sql': sql} | over_rows(judge, sql, None, name, 'i'))
            continue
        if template.mode == '@':
            sql = f'SELECT g, {expression} AS v FROM {name} GROUP BY g ORDER BY g'
            emit(head | {'table': name, 'by': 'g', 'sql': sql} | over_rows(judge, sql, None, name, 'g'))
            continue
        sql = f'SELECT i, {expression} AS v FROM {name} ORDER BY i'
        emit(head | {'table': name, 'by': 'i', 'sql': sql} | over_rows(judge, sql, expression, name, 'i'))
        rng = random.Random(zlib.crc32(template.text.encode()))
        chosen = rng.sample(rows, min(LITERAL_ROWS, len(rows)))
        texts = [template.expression(row) for row in chosen]
        answers = isolated(judge, texts)
        for index, text in enumerate(texts):
            if answers is None:
                answer = outcome(judge, text)
            else:
                types, [row] = answers
                failed, value = row[2 * index], row[2 * index + 1]
                answer = {'error': 'raised'} if failed else {'type': type_name(types[2 * index + 1]), 'value': value}
            emit(head | {'sql': f'SELECT {text} AS v'} | answer)


def outcome(judge, expression):
    try:
        [kind], [[value]] = judge.ask(f'SELECT {expression}')
        return {'type': type_name(kind), 'value': value}
    except Failed as error:
        return {'error': str(error)}
    except Refused as error:
        return {'error': str(error), 'invalid': True}


def over_rows(judge, sql, expression, table, by):
    """The value for each row, by the query itself, or by row where one raises."""
    try:
        types, rows = judge.ask(sql)
        return {'type': type_name(types[1]), 'rows': rows}
    except Refused as error:
        whole, refused = str(error), True
    except Failed as error:
        whole, refused = str(error), False
    if expression is not None:
        try:
            types, rows = judge.ask(f'SELECT {by}, ISERROR({expression}), NULLIFERROR({expression}) FROM {table} ORDER BY {by}')
            return {'type': type_name(types[2]), 'rows': [[row[0], {'error': 'raised'}] if row[1] else [row[0], row[2]] for row in rows]}
        except Refused:
            pass
        except Failed:
            refused = False
    if refused:
        return {'error': whole, 'invalid': True}
    _, keys = judge.ask(f'SELECT DISTINCT {by} FROM {table} ORDER BY {by}')
    found, answers = 'error', []
    head, tail = sql.split(f' FROM {table}', 1)
    for [key] in keys:
        try:
            types, rows = judge.ask(f'{head} FROM {table} WHERE {by} = {key}{tail}')
            found = type_name(types[1])
            answers.extend(rows)
        except (Refused, Failed) as error:
            answers.append([key, {'error': str(error)}])
    if found == 'error':
        return {'error': whole}
    return {'type': found, 'rows': answers}


if __name__ == '__main__':
    main()
