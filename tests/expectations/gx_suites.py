"""The shipped suites in Great Expectations: those of their expectations that it has a kind for.

    gx_suites.py split EXPECTATIONS OUT            writes the part of each file that has a kind into the folder OUT, and
                                                   prints how many expectations of which kind that part has and lacks
    gx_suites.py check EXPECTATIONS DATABASE OUT   checks that part on the tables of a DuckDB file, as pandas frames, a
                                                   suite for each table; writes what came out and how long it took to
                                                   the file OUT

`relationships` and `expression` have no kind, and a number of rows is compared with another table's in SQL databases only.
"""

import json
import logging
import os
import pathlib
import re
import sys
import time
import warnings

STARTED = time.perf_counter()


def entries(folder, wanted=None):
    """Each suite with its expectations that have a kind, one for each column where ours has several."""
    from ruamel.yaml import YAML

    for path in sorted(pathlib.Path(folder).glob('*.yaml')):
        for name, suite in YAML(typ='safe').load(path)['suites'].items():
            kept = [one for entry in suite['expectations'] for one in single(entry) if (wanted or has_kind)(one)]
            if kept:
                yield path.name, name, {**suite, 'expectations': kept}


def single(entry):
    if entry['expect'] in ('not_null', 'between') and len(entry['columns']) > 1:
        return [{**entry, 'columns': [column]} for column in entry['columns']]
    return [entry]


def has_kind(entry):
    if entry['expect'] == 'row_count':
        return 'equals' not in entry
    return entry['expect'] in ('not_null', 'unique', 'between', 'accepted_values')


def theirs(gx, entry, frame):
    """An entry as an expectation of theirs."""
    common = {'mostly': entry['mostly']} if 'mostly' in entry else {}
    if 'where' in entry:
        column, value = re.fullmatch(r"(\w+) = '(\w+)'", entry['where']).groups()
        common['row_condition'] = gx.expectations.row_conditions.Column(column) == value
    kind, bounds = entry['expect'], {f'{end}_value': entry[end] for end in ('min', 'max') if end in entry}
    if kind == 'row_count':
        return gx.expectations.ExpectTableRowCountToBeBetween(**bounds)
    if kind == 'accepted_values':
        return gx.expectations.ExpectColumnValuesToBeInSet(column=entry['column'], value_set=entry['values'], **common)
    columns = entry['columns']
    if kind == 'unique' and len(columns) > 1:
        return gx.expectations.ExpectCompoundColumnsToBeUnique(column_list=columns, **common)
    if kind == 'between':
        if str(frame[columns[0]].dtype).startswith('datetime'):
            import pandas

            zone = getattr(frame[columns[0]].dtype, 'tz', None)
            bounds = {end: pandas.Timestamp(value, tz=zone).to_pydatetime() for end, value in bounds.items()}
        return gx.expectations.ExpectColumnValuesToBeBetween(column=columns[0], **bounds, **common)
    if kind == 'unique':
        return gx.expectations.ExpectColumnValuesToBeUnique(column=columns[0], **common)
    return gx.expectations.ExpectColumnValuesToNotBeNull(column=columns[0], **common)


def split(folder, out):
    files = {}
    for file, name, suite in entries(folder):
        files.setdefault(file, {})[name] = suite
    pathlib.Path(out).mkdir()
    for file, suites in files.items():
        # JSON is YAML.
        (pathlib.Path(out) / file).write_text(json.dumps({'suites': suites}, indent=1, default=str))
    lacks = [suite for _, _, suite in entries(folder, lambda entry: not has_kind(entry))]
    print(json.dumps({'has': kinds(suite for part in files.values() for suite in part.values()), 'lacks': kinds(lacks)}))


def kinds(suites):
    """How many expectations of each kind, the most first."""
    names = [entry['expect'] for suite in suites for entry in suite['expectations']]
    return dict(sorted(((name, names.count(name)) for name in set(names)), key=lambda one: (-one[1], one[0])))


def check(folder, database, out):
    os.environ['GX_ANALYTICS_ENABLED'] = 'false'
    warnings.simplefilter('ignore')
    logging.disable(logging.CRITICAL)
    import duckdb
    import great_expectations as gx

    context = gx.get_context(mode='ephemeral')
    context.variables.progress_bars = {'globally': False}
    source = context.data_sources.add_pandas('tables')
    suites = list(entries(folder))
    ready = time.perf_counter()
    with duckdb.connect(database, read_only=True) as connection:
        connection.execute("SET TimeZone='UTC'")
        places = connection.execute(
            "SELECT table_name, table_schema FROM information_schema.tables WHERE table_schema LIKE 'olist%'"
        ).fetchall()
        places = dict(places)
        tables = {suite.get('table', name) for _, name, suite in suites}
        frames = {table: connection.execute(f'FROM "{places[table]}"."{table}"').df() for table in sorted(tables)}
    read = time.perf_counter()
    answers = {}
    for _, name, suite in suites:
        frame = frames[suite.get('table', name)]
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe('whole').get_batch({'dataframe': frame})
        asked = gx.ExpectationSuite(name=name, expectations=[theirs(gx, entry, frame) for entry in suite['expectations']])
        told = batch.validate(asked, result_format='BASIC')
        answers[name] = [bool(result.success) for result in told.results]
        for result in told.results:
            if result.exception_info and result.exception_info.get('raised_exception', True):
                sys.exit(f'{name}: {result.expectation_config.type}: {result.exception_info}')
    done = time.perf_counter()
    seconds = {'start': ready - STARTED, 'read': read - ready, 'validate': done - read}
    pathlib.Path(out).write_text(json.dumps({'version': gx.__version__, 'seconds': seconds, 'passed': answers}))


if __name__ == '__main__':
    {'split': split, 'check': check}[sys.argv[1]](*sys.argv[2:])
