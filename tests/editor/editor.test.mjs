// What an editor shows of Pipewright's YAML files: the language server that editors use is asked about the shipped files
// and about changes to them. Each file names its schema in its first line, so this checks the committed schemas too.
//
//     npm test                             the project that this folder belongs to
//     PIPEWRIGHT_ROOT=/path npm test       another one

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isMap, isScalar, parseDocument, visit } from 'yaml';

import { LanguageServer } from './language-server.mjs';

const root = path.resolve(process.env.PIPEWRIGHT_ROOT ?? fileURLToPath(new URL('../..', import.meta.url)));

// Beginnings of new entries, each put where the file's top-level key stands.
const newSuite = 'suites:\n  another:\n    table: raw_orders\n    expectations:\n';
const newChart = 'dashboards:\n  another:\n    title: A\n    tabs:\n      a:\n        title: A\n        tiles:\n          a:\n            title: A\n            sql: SELECT 1\n            chart:\n';
const newSource = 'sources:\n  another:\n';
const newTarget = 'targets:\n  another:\n';
const newModel = 'models:\n  another:\n';
const newJob = 'jobs:\n  another:\n';

// Each case changes one shipped file: `find` in the first file that has it, of those whose path starts with `files`, gives way
// to `put`, where ¦ marks the cursor. Then, at the cursor, these hold:
//   offers       the labels offered, each with a description; there may be more
//   offersOnly   the labels offered, and no others
//   says         text that the hover shows
//   never        labels that are not offered
//   faults       text of a diagnostic on the cursor's line
const cases = [
  { files: 'pipeline.yaml', find: /^targets:$/m, put: `${newTarget}    type: ¦`, offersOnly: ['duckdb', 'bigquery'] },
  { files: 'pipeline.yaml', find: /^targets:$/m, put: `${newTarget}    type: bigquery\n    ¦`, offers: ['project', 'location', 'dataset_prefix'] },
  { files: 'pipeline.yaml', find: /^targets:$/m, put: `${newTarget}    type: duckbd¦\n    path: a.duckdb`, faults: '"duckdb"' },
  { files: 'pipeline.yaml', find: /^targets:$/m, put: `${newTarget}    type: duckdb\n    path: a.duckdb\n    project: b¦`, faults: 'project' },
  { files: 'pipeline.yaml', find: /^jobs:$/m, put: `${newJob}    ¦`, offers: ['run', 'select', 'schedule', 'timeout', 'retries'] },
  { files: 'pipeline.yaml', find: /^jobs:$/m, put: `${newJob}    run: ¦`, offersOnly: ['apply', 'check'] },
  { files: 'pipeline.yaml', find: /^jobs:$/m, put: `${newJob}    timeout: 2 hours¦`, faults: 'pattern' },
  { files: 'pipeline.yaml', find: /^( +)cron:/m, put: '$1cr¦on:', says: 'minute, hour, day of month' },
  { files: 'pipeline.yaml', find: /^( +)cron:/m, put: '$1crom¦:', faults: 'crom' },
  { files: 'pipeline.yaml', find: /^name: .*$/m, put: 'na¦me: Olist Sales', says: 'Name of the pipeline' },
  { files: 'pipeline.yaml', find: /^name: .*$/m, put: 'name: Olist¦ Sales', faults: 'pattern' },

  { files: 'sources/', find: /^sources:$/m, put: `${newSource}    ¦`, offers: ['files', 'format', 'columns', 'on_new_column', 'max_rejects'] },
  { files: 'sources/', find: /^sources:$/m, put: `${newSource}    on_new_column: ¦`, offersOnly: ['add', 'ignore', 'fail'] },
  { files: 'sources/', find: /^sources:$/m, put: `${newSource}    on_new¦_column: ignore`, says: 'What to do with a column' },
  { files: 'sources/', find: /^sources:$/m, put: `${newSource}    files: a.csv\n    columns:\n      a:\n        type: ¦`,
    offersOnly: ['STRING', 'INT64', 'FLOAT64', 'NUMERIC', 'BOOL', 'DATE', 'DATETIME', 'TIME', 'TIMESTAMP', 'BYTES', 'JSON'] },
  { files: 'sources/', find: /type: TIMESTAMP/, put: 'type: VARCHAR¦', faults: 'STRING' },
  { files: 'sources/', find: /^ {4}columns:/m, put: '    colums¦:', faults: 'colums' },
  { files: 'sources/', find: /^ {4}files:/m, put: '    fil¦es:', says: 'path or pattern' },
  { files: 'sources/', find: /^sources:$/m, put: `${newSource}    files: a.csv\n    for¦mat:\n      type: csv`, says: 'How the files are written.' },

  { files: 'models/', find: /^models:$/m, put: `${newModel}    ¦`, offers: ['description', 'sql', 'dataset', 'materialized', 'columns', 'tags'] },
  { files: 'models/', find: /^models:$/m, put: `${newModel}    materialized: ¦`, offersOnly: ['view', 'table', 'incremental', 'materialized_view'] },
  { files: 'models/', find: /^models:$/m, put: `${newModel}    materialized: incremental\n    incremental:\n      strategy: ¦`, offersOnly: ['append', 'merge', 'insert_overwrite'] },
  { files: 'models/', find: /materialized: \w+/, put: 'mater¦ialized: view', says: 'nothing is stored' },
  { files: 'models/', find: /materialized: \w+/, put: 'materialized: veiw¦', faults: '"view"' },
  { files: 'models/', find: /materialized: \w+/, put: 'materialised¦: view', faults: 'materialised' },
  { files: 'models/', find: /^models:$/m, put: `${newModel}    owner: ¦`, never: ['null'] },

  { files: 'expectations/', find: /^suites:$/m, put: `${newSuite}      - expect: ¦`,
    offers: ['not_null', 'unique', 'accepted_values', 'relationships', 'between', 'json_schema', 'row_count', 'star_schema'],
    never: ['expect_column_values_to_not_be_null', 'dbt_utils.accepted_range'] },
  { files: 'expectations/', find: /^suites:$/m, put: `${newSuite}      - expect: relationships\n        ¦`,
    offers: ['column', 'to', 'field', 'where', 'mostly', 'severity'], never: ['columns', 'max_age', 'values'] },
  { files: 'expectations/', find: /^suites:$/m, put: `${newSuite}      - expect: not_null\n        columns: [a]\n        severity: ¦`,
    offersOnly: ['critical', 'info', 'warning'] },
  { files: 'expectations/', find: /expect: not_null/, put: 'expect: not_nul¦', faults: '"not_null"' },
  { files: 'expectations/', find: /expect: not_null/, put: 'expect: not_¦null', says: 'never NULL' },
  { files: 'expectations/', find: /^suites:$/m, put: `${newSuite}      - expect: between\n        colunm: a¦\n        columns: [a]\n        max: 3`,
    faults: 'colunm' },
  { files: 'expectations/', find: /^suites:$/m, put: `${newSuite}      - expect: expect_column_values_to_be_in_set\n        column: a\n        valueset: [a]¦`,
    faults: 'valueset' },

  { files: 'dashboards/', find: /type: kpi/, put: 'type: kpy¦', faults: '"kpi"' },
  { files: 'dashboards/', find: /^( +)chart:/m, put: '$1ch¦art:', says: 'How it is drawn.' },
  { files: 'dashboards/', find: /^dashboards:$/m, put: `${newChart}              type: ¦`,
    offersOnly: ['kpi', 'line', 'bar', 'donut', 'scatter', 'box', 'histogram', 'treemap', 'heatmap', 'map', 'table'] },
  { files: 'dashboards/', find: /^dashboards:$/m, put: `${newChart}              type: treemap\n              ¦`,
    offers: ['path', 'value'], never: ['x', 'latitude'] },
];

// Folders that hold no manifest of the project: what is built or installed, what `init` writes elsewhere, and projects
// that tests break on purpose.
const foreign = new Set(['target', 'node_modules', 'tests', 'schema', 'src']);

const yamlFiles = readdirSync(root, { withFileTypes: true })
  .filter((entry) => !entry.name.startsWith('.') && !foreign.has(entry.name))
  .flatMap((entry) => (entry.isDirectory() ? readdirSync(path.join(root, entry.name), { recursive: true }).map((name) => path.join(entry.name, name)) : [entry.name]))
  .filter((name) => /\.ya?ml$/.test(name))
  .sort();

let server;
let opened = 0;
before(async () => {
  server = await LanguageServer.start(root);
});
after(() => server?.stop());

/** Opens text as a document beside a shipped file: the name is new each time, so that no verdict is taken for another's. */
async function open(name, text) {
  const uri = pathToFileURL(path.join(root, path.dirname(name), `opened-${(opened += 1)}.yaml`)).href;
  return { uri, diagnostics: await server.open(uri, text) };
}

const show = (diagnostics) => diagnostics.map(({ range, message }) => `line ${range.start.line + 1}: ${message}`).join('\n');

test('there are YAML files, and each names a schema', () => {
  assert.ok(yamlFiles.includes('pipeline.yaml'), `no pipeline.yaml in ${root}`);
  for (const name of yamlFiles) {
    const [first] = readFileSync(path.join(root, name), 'utf8').split('\n', 1);
    assert.match(first, /^# yaml-language-server: \$schema=(\.\.?\/)*schema\/\w+\.schema\.json$/, `first line of ${name}`);
  }
});

for (const name of yamlFiles) {
  test(`${name} has no faults, and each of its keys a description`, async () => {
    const text = readFileSync(path.join(root, name), 'utf8');
    const { uri, diagnostics } = await open(name, text);
    assert.equal(show(diagnostics), '');
    for (const [key, offset] of distinctKeys(text)) {
      const described = (await server.hover(uri, position(text, offset))).split('\n').filter((line) => line && !/^(####|Source:)/.test(line));
      assert.notEqual(described.length, 0, `\`${key}\` shows no description`);
    }
  });
}

for (const [index, { files, find, put, ...expected }] of cases.entries()) {
  test(`case ${index + 1}, ${files}: ${put.split('\n').at(-1).trim()} ${Object.keys(expected)}`, async () => {
    const { name, text, cursor } = change(files, find, put);
    const { uri, diagnostics } = await open(name, text);
    if (expected.says !== undefined) {
      const hover = await server.hover(uri, cursor);
      assert.ok(hover.includes(expected.says), `the hover shows:\n${hover}`);
    }
    if (expected.faults !== undefined) {
      const onLine = diagnostics.filter(({ range }) => range.start.line === cursor.line);
      assert.ok(show(onLine).includes(expected.faults), `expected on line ${cursor.line + 1}; all of them:\n${show(diagnostics)}`);
    }
    if (expected.offers ?? expected.offersOnly ?? expected.never) checkOffers(await server.complete(uri, cursor), expected);
  });
}

function checkOffers(items, { offers, offersOnly, never = [] }) {
  const labels = items.map(({ label }) => label);
  if (offersOnly) assert.deepEqual(labels.toSorted(), offersOnly.toSorted());
  for (const label of offers ?? offersOnly ?? []) {
    const item = items.find((candidate) => candidate.label === label);
    assert.ok(item, `\`${label}\` is not among ${labels.join(', ')}`);
    assert.ok(item.documentation?.value ?? item.documentation, `\`${label}\` is offered without a description`);
  }
  for (const label of never) assert.ok(!labels.includes(label), `\`${label}\` should not be offered`);
}

/** Makes a case's change in the first file that has its place. */
function change(files, find, put) {
  for (const name of yamlFiles.filter((candidate) => candidate.startsWith(files))) {
    const text = readFileSync(path.join(root, name), 'utf8');
    assert.ok(!text.includes('¦'), `${name} has a ¦ of its own`);
    const marked = text.replace(find, put);
    if (marked !== text) return { name, text: marked.replace('¦', ''), cursor: position(marked, marked.indexOf('¦')) };
  }
  return assert.fail(`no file of ${files} has ${find}`);
}

/** The first place of each key of the manifest's own words at each depth; names that people gave are asked once for each depth. */
function distinctKeys(text) {
  const places = new Map();
  visit(parseDocument(text), {
    Pair(_, pair, ancestors) {
      const depth = ancestors.filter(isMap).length;
      if (isScalar(pair.key)) places.set(`${depth} ${pair.key.value}`, [String(pair.key.value), pair.key.range[0]]);
    },
  });
  return places.values();
}

function position(text, offset) {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length - 1, character: lines.at(-1).length };
}
