"""Asks Great Expectations what it says of tables.

Reads JSON: `tables` (rows by name, values as they are or null; columns in `times` are points in time), and `questions`:
table, class of the expectation, its arguments. Prints one JSON list: for each question `success`, and `unexpected` (bad
rows), `checked` (rows without NULL) and `observed` where there is one; or `error`.
"""

import json
import logging
import os
import sys
import warnings

os.environ['GX_ANALYTICS_ENABLED'] = 'false'
warnings.simplefilter('ignore')
logging.disable(logging.CRITICAL)

import great_expectations as gx  # noqa: E402
import pandas  # noqa: E402


def plain(value):
    if hasattr(value, 'item'):
        value = value.item()
    if isinstance(value, float) and value != value:
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def main():
    asked = json.load(sys.stdin)
    context = gx.get_context(mode='ephemeral')
    context.variables.progress_bars = {'globally': False}
    source = context.data_sources.add_pandas('tables')
    batches = {}
    for name, columns in asked['tables'].items():
        frame = pandas.DataFrame({
            column: pandas.to_datetime(pandas.Series(values)) if column in asked['times'] else pandas.Series(values)
            for column, values in columns.items()
        })
        definition = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe('whole')
        batches[name] = definition.get_batch({'dataframe': frame})
    answers = []
    for question in asked['questions']:
        kind = getattr(gx.expectations, question['kind'])
        try:
            told = batches[question['table']].validate(kind(**question['arguments']), result_format='BASIC')
        except Exception as error:  # what it does not accept at all is an answer too
            answers.append({'error': f'{type(error).__name__}: {error}'[:300]})
            continue
        result = told.result
        answer = {'success': bool(told.success)}
        if 'unexpected_count' in result:
            answer['unexpected'] = result['unexpected_count']
            if 'element_count' in result:
                answer['checked'] = result['element_count'] - (result.get('missing_count') or 0)
        if 'observed_value' in result:
            observed = result['observed_value']
            observed = observed.get('values', observed) if isinstance(observed, dict) else observed
            answer['observed'] = [plain(value) for value in observed] if isinstance(observed, list) else plain(observed)
        if told.exception_info and 'raised_exception' not in told.exception_info and told.exception_info:
            first = next(iter(told.exception_info.values()))
            answer = {'error': str(first.get('exception_message'))[:300]}
        answers.append(answer)
    print(json.dumps(answers))


main()
