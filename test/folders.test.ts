/*
 * What each folder of src may import, and that nothing imports in a circle: the linter holds it, and here that it does. And that
 * each file is described, no longer than one can read, and no name exported for two things.
 */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = 'util core protocol config storage server client terminal tools bin'.split(' ');
/** As docs/architecture.md has them. */
const MAY: Readonly<Record<string, string>> = {
  util: '',
  core: 'util',
  protocol: 'core util',
  config: 'core util',
  storage: 'core config util',
  server: 'core protocol config util',
  client: 'protocol core util',
  terminal: 'client core config util',
  tools: 'terminal client storage core config util',
  bin: 'server storage core config util',
};

/** Lines of a file. */
const MOST_LINES = 350;
/** Names that several files export, and which. */
const SHARED: readonly (readonly [names: string, files: RegExp, why: string])[] = [
  [
    'VERSION Request ServerFrame decodeRequest decodeServerFrame encodeRequest encodeServerFrame failureFrame fitNames',
    /^protocol\/v[12]\//,
    'the versions of the protocol have the same parts',
  ],
  ['run', /^terminal\/cli\//, 'a command is carried out by it'],
  [
    'parseUsername parsePattern parseRecipient parseRoom',
    /^(?:protocol|client)\/names/,
    "the client's fail as all that it is asked for does",
  ],
];
const SOURCES = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.tsx?$/.test(file),
);

let folder: string;

/** A tree of two files for each wrong import, and the linter with our rules. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'milena-folders-'));
  const rules: { vcs?: unknown } = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'));
  delete rules.vcs;
  write('biome.json', JSON.stringify(rules));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

/** The files that the linter refuses, by rule. */
function refused(rule: string): Promise<Set<string>> {
  const biome = join(ROOT, 'node_modules/.bin/biome');
  const args = ['lint', '--reporter=json', '--max-diagnostics=none', 'src'];
  return new Promise((resolve) => {
    execFile(biome, args, { cwd: folder, maxBuffer: 2 ** 26 }, (_, stdout) => {
      const { diagnostics } = JSON.parse(stdout) as {
        diagnostics: { category: string; location: { path: string | { file: string } } }[];
      };
      const files = diagnostics
        .filter(({ category }) => category.endsWith(rule))
        .map(({ location: { path } }) => (typeof path === 'string' ? path : path.file));
      resolve(new Set(files));
    });
  });
}

test('a folder imports what it may, and nothing else of ours', async () => {
  const wrong: string[] = [];
  for (const from of FOLDERS) {
    for (const to of FOLDERS.filter((other) => other !== from)) {
      const file = `src/${from}/to-${to}.ts`;
      write(file, `import { x } from '../${to}/index.ts';\n\nx();\n`);
      if (!(MAY[from] ?? '').split(' ').includes(to)) wrong.push(file);
    }
  }
  write('src/terminal/cli/doctor/to-storage.ts', "import { x } from '../../../storage/x.ts';\n\nx();\n");
  for (const to of ['config', 'server', 'storage/kafka', 'core', 'util']) {
    const file = `src/storage/memory/to-${to.replace('/', '-')}.ts`;
    write(file, `import { x } from '../../${to}/x.ts';\n\nx();\n`);
    if (!['core', 'util'].includes(to)) wrong.push(file);
  }
  expect([...(await refused('noRestrictedImports'))].toSorted()).toEqual(wrong.toSorted());
  expect(wrong.length).toBeGreaterThan(50);
});

test('the terminal program and the tools go by the door of the client library', async () => {
  const wrong = ['src/terminal/behind.ts', 'src/terminal/cli/doctor/behind.ts', 'src/tools/behind.ts'];
  for (const file of wrong) {
    const up = '../'.repeat(file.split('/').length - 2);
    write(file, `import { x } from '${up}client/client.ts';\n\nx();\n`);
  }
  const all = await refused('noRestrictedImports');
  expect(wrong.filter((file) => !all.has(file))).toEqual([]);
  for (const file of wrong) rmSync(join(folder, file));
});

test('nothing imports in a circle', async () => {
  write('src/util/one.ts', "import { two } from './two.ts';\n\nexport const one = () => two();\n");
  write('src/util/two.ts', "import { one } from './one.ts';\n\nexport const two = () => one();\n");
  expect(await refused('noImportCycles')).toEqual(new Set(['src/util/one.ts', 'src/util/two.ts']));
});

test('each file stands in a table of the documents, and none that is not there', () => {
  const documents = ['architecture', 'client'].map((name) =>
    readFileSync(join(ROOT, `docs/${name}.md`), 'utf8'),
  );
  const rows = documents.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) => Array.from(row.matchAll(/`([\w./-]+)`/g), ([, name = '']) => name));
  const whole = named.filter((name) => name.endsWith('/'));
  expect(
    SOURCES.filter((file) => !named.includes(file) && !whole.some((name) => file.startsWith(name))),
  ).toEqual([]);
  expect(named.filter((name) => /\/.*\.tsx?$/.test(name) && !SOURCES.includes(name))).toEqual([]);
});

test('a name that is exported means one thing', () => {
  const files = new Map<string, string[]>();
  for (const file of SOURCES) {
    const text = readFileSync(join(ROOT, 'src', file), 'utf8');
    const names = text.matchAll(
      /^export (?:declare |abstract |async )*(?:const|let|class|function\*?|interface|type|enum) (\w+)/gm,
    );
    for (const name of new Set(Array.from(names, ([, one = '']) => one))) {
      files.set(name, [...(files.get(name) ?? []), file]);
    }
  }
  const isAllowed = (name: string, by: readonly string[]) =>
    SHARED.some(([names, where]) => names.split(' ').includes(name) && by.every((file) => where.test(file)));
  expect(files.size).toBeGreaterThan(1_000);
  expect([...files].filter(([name, by]) => by.length > 1 && !isAllowed(name, by))).toEqual([]);
});

test('a file can be read at one sitting', () => {
  const lines = (file: string) => readFileSync(join(ROOT, 'src', file), 'utf8').split('\n').length - 1;
  expect(SOURCES.filter((file) => lines(file) > MOST_LINES)).toEqual([]);
});
