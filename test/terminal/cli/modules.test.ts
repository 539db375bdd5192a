/* What a command loads decides how fast it starts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestServer } from '../../client/test-server.ts';
import { ROOT } from '../../e2e/script.ts';
import { home, milena } from './running-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'milena-modules-'));
const RECORDER = join(folder, 'recorder.mjs');
let server: TestServer;

beforeAll(async () => {
  server = await TestServer.listen();
  // Writes down every module that is loaded, however it is asked for.
  writeFileSync(
    RECORDER,
    `import { registerHooks } from 'node:module';
     import { appendFileSync } from 'node:fs';
     registerHooks({
       load(url, context, next) {
         appendFileSync(process.env.MODULES_FILE, url + '\\n');
         return next(url, context);
       },
     });`,
  );
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

let counter = 0;

/** The packages of node_modules and the files of src that a command loads. */
async function loadedBy(
  args: readonly string[],
  code: number,
): Promise<{ packages: string[]; files: string[] }> {
  counter += 1;
  const file = join(folder, `modules-${counter}`);
  const program = [process.execPath, '--import', RECORDER, join(ROOT, 'src/terminal/main.ts')];
  const settings = {
    MODULES_FILE: file,
    MILENA_SERVER: `127.0.0.1:${server.port}`,
    MILENA_USER: 'alice',
    MILENA_PASSWORD: 'secret',
    MILENA_DATA_DIR: join(folder, 'data'),
  };
  const done = await milena(args, { settings, program });
  expect(done, done.stderr).toMatchObject({ code });
  const urls = readFileSync(file, 'utf8').split('\n');
  const packages = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
  return { packages: [...new Set(packages)].sort(), files: urls.filter((url) => url.includes('/src/')) };
}

test.each<[number, string[]]>([
  [0, ['--help']],
  [0, ['--version']],
  [0, ['help', 'send']],
  [0, ['send', '--help']],
  [64, ['tango']],
  [0, ['completion', 'bash']],
  [64, ['search', 'lunch']],
  [64, ['export', 'bob']],
])('without a server no package is loaded: %d %j', async (code, args) => {
  expect((await loadedBy(args, code)).packages).toEqual([]);
});

test.each<[number, string[]]>([
  [0, ['list']],
  [0, ['send', 'bob', 'hi']],
  [0, ['retrieve']],
  [0, ['status', 'bob']],
  [0, ['create', 'carol']],
])('with one neither: %d %j', async (code, args) => {
  const { packages, files } = await loadedBy(args, code);
  expect(packages).toEqual([]);
  expect(files.filter((file) => /\/terminal\/(tui|chat|line)\//.test(file))).toEqual([]);
});

test('the doctor, which looks at Kafka as a frontend does, needs no terminal', async () => {
  const { packages, files } = await loadedBy(['doctor', '--no-history'], 0);
  expect(packages).not.toContain('ink');
  expect(files.filter((file) => /\/terminal\/(tui|chat|line)\//.test(file))).toEqual([]);
});

test('nothing is written into a home folder that a command only reads', () => {
  expect(() => readFileSync(join(home, '.config/milena/settings.json'))).toThrow(/ENOENT/);
});
