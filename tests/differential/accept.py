"""Puts queries and statements for BigQuery to the reference implementation, over empty tables.

Reads JSON: `tables` (for each, lists of column and type), and `questions`: name, SQL, types of the parameters, and the
columns with their types that are expected (none: any). `statements`, names, SQL and types of parameters, are analyzed only:
nothing runs. `views` are tables of a longer name, a list of its parts, which only statements can read.
Prints a line for each that is refused or has other columns.
"""

import json
import sys

from judge import Failed, Judge, Refused, type_name, service
from zetasql.core.exceptions import ServerError
from zetasql.wasi._pb2.zetasql.public import options_pb2 as public
from zetasql.wasi._pb2.zetasql.public import value_pb2
from zetasql.wasi._pb2.zetasql.resolved_ast.resolved_node_kind_pb2 import ResolvedNodeKind


class Acceptor(Judge):
    def __init__(self):
        super().__init__()
        # BigQuery has it, and the library does not count it among what is done.
        self.language.enabled_language_features.append(public.LanguageFeature.Value('FEATURE_CREATE_TABLE_CLONE'))

    def type_of(self, name):
        return self.answer(f'SELECT CAST(NULL AS {name})').prepared.columns[0].type

    def columns(self, sql, parameters):
        request = service.EvaluateQueryRequest(sql=sql, registered_catalog_id=self.registered)
        # BigQuery reserves QUALIFY, the library's defaults do not.
        self.language.reserved_keywords[:] = ['QUALIFY']
        request.options.language_options.CopyFrom(self.language)
        request.options.default_timezone = 'UTC'
        for name, data_type in parameters.items():
            request.options.query_parameters.add(name=name).type.CopyFrom(self.type_of(data_type))
            request.params.add(name=name).value.CopyFrom(value_pb2.ValueProto())
        answer = self.client.call_grpc_func('ZetaSqlLocalService_EvaluateQuery', request, service.EvaluateQueryResponse)
        return [[column.name, type_name(column.type)] for column in answer.prepared.columns]


    def add_view(self, path, columns):
        catalog = self.catalog.simple_catalog
        for part in path[:-1]:
            found = [inner for inner in catalog.catalog if inner.name == part]
            catalog = found[0] if found else catalog.catalog.add(name=part)
        table = catalog.table.add(name=path[-1])
        for column, data_type in columns:
            table.column.add(name=column).type.CopyFrom(self.type_of(data_type))

    def analyze(self, sql, parameters):
        request = service.AnalyzeRequest(sql_statement=sql, registered_catalog_id=self.registered)
        self.language.reserved_keywords[:] = ['QUALIFY']
        request.options.language_options.CopyFrom(self.language)
        # DML and DDL are not among the kinds that the library takes unless it is told.
        request.options.language_options.supported_statement_kinds[:] = sorted(ResolvedNodeKind.values())
        request.options.default_timezone = 'UTC'
        for name, data_type in parameters.items():
            request.options.query_parameters.add(name=name).type.CopyFrom(self.type_of(data_type))
        self.client.call_grpc_func('ZetaSqlLocalService_Analyze', request, service.AnalyzeResponse)


def main():
    asked = json.load(sys.stdin)
    judge = Acceptor()
    for name, columns in asked['tables'].items():
        values = ', '.join(f'CAST(NULL AS {data_type}) AS `{column}`' for column, data_type in columns)
        judge.add_table(name, f'SELECT {values} LIMIT 0')
    for path, columns in asked.get('views', []):
        judge.add_view(path, columns)
    judge.register()
    for question in asked['questions']:
        try:
            columns = judge.columns(question['sql'], question['parameters'])
        except (Refused, Failed, ServerError) as error:
            print(f'{question["name"]}: {error}')
            continue
        expected = question['columns']
        if expected is not None and columns != expected:
            print(f'{question["name"]}: {columns} and not {expected}')
    for name, sql, *parameters in asked.get('statements', []):
        try:
            judge.analyze(sql, parameters[0] if parameters else {})
        except ServerError as error:
            print(f'{name}: {error}')


main()
