/**
 * What lies in the scripts' way: a folder that only looks like one of theirs, and things that are no lock, note or settings
 * file. Each ends the script with what to do, and is the same before and after.
 */
import { randomInt } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../broker/ports.ts';
import { share } from '../size.ts';
import { built } from './running-frontend.ts';
import { call, checkout, fakePrograms, fingerprint, foreignFolder, sandbox } from './sandbox.ts';

const shared = sandbox();
let clone: string;

beforeAll(async () => {
  await built();
  clone = checkout(shared.path, { built: true });
});
afterAll(shared.remove);

/** Of what is alike some each time. */
const day = randomInt(12);
let box: string;
let state: string;
let settings: Record<string, string>;

beforeEach(async () => {
  const own = sandbox();
  onTestFinished(own.remove);
  box = own.path;
  // What a test leaves in the checkout; all else is in its own box.
  for (const name of ['.milena', '.env']) rmSync(join(clone, name), { recursive: true, force: true });
  writeFileSync(join(clone, 'dist/.built'), '');
  state = join(box, 'state');
  settings = {
    PATH: fakePrograms(box, { docker: 'exit 1', mvn: 'exit 1' }),
    MILENA_STATE_DIR: state,
    MILENA_KAFKA: '',
    MILENA_PORT: String(await freePort()),
    MILENA_KAFKA_PORT: String(await freePort()),
  };
});

const run = (script: string, ...args: readonly string[]) => call(join(clone, script), args, { settings });
const wipe = () => run('stop_everything.sh', '--wipe', '--yes');
const wipeCluster = () => run('scripts/cluster.sh', 'stop', '--wipe', '--yes');

/** As the scripts make it. */
function marked(): void {
  for (const part of ['run', 'logs']) mkdirSync(join(state, part), { recursive: true, mode: 0o700 });
  writeFileSync(join(state, '.milena-data'), '');
}

/** As an earlier version made it, or somebody else who uses the same names. */
function unmarked(folder: string): void {
  for (const part of ['run', 'logs', 'kafka/data', 'cluster/1'])
    mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'kafka/kind'), `jvm ${settings.MILENA_KAFKA_PORT}\n`);
  writeFileSync(join(folder, 'kafka/data/meta.properties'), 'version=1\n');
  writeFileSync(join(folder, 'cluster/nodes'), '1 1 2\n');
  writeFileSync(join(folder, 'cluster.key'), 'k1:secret\n');
}

/** The shell commands that a script proposes, two blanks in front. */
function proposed(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.startsWith('  touch '))
    .join('\n');
}

describe('a folder without the mark, whatever it looks like', () => {
  it.each(['stop_everything.sh', 'scripts/cluster.sh', 'start_kafka.sh', 'start_client.sh'])(
    '%s does nothing with it',
    async (script) => {
      unmarked(state);
      const before = fingerprint(state);
      const args = script === 'scripts/cluster.sh' ? ['stop', '--wipe', '--yes'] : [];
      for (const more of script === 'stop_everything.sh' ? [['--wipe', '--yes'], []] : [args]) {
        const done = await run(script, ...more);
        expect(done).toMatchObject({ code: 64, stdout: '' });
        expect(done.stderr).toContain('has other things in it');
        expect(proposed(done.stderr)).toContain('kafka/.milena-data');
      }
      expect(fingerprint(state)).toEqual(before);
    },
  );

  it('is the operator’s own to mark, as the script says how; then it is wiped when told', async () => {
    unmarked(state);
    const { stderr } = await run('stop_everything.sh');
    await call('/bin/sh', ['-c', proposed(stderr)], {});
    settings.MILENA_KAFKA_BROKERS = '192.0.2.7:9092';
    const done = await wipe();
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toContain('Deleted the data of the Kafka that was started here');
    expect(done.stdout).toContain('Not deleted: what is in the Kafka at 192.0.2.7:9092');
    expect(existsSync(join(state, 'kafka'))).toBe(false);
    expect(await wipeCluster()).toMatchObject({ code: 0, stdout: "Deleted the cluster's data.\n" });
    expect(readFileSync(join(state, 'cluster.key'), 'utf8')).toBe('k1:secret\n');
  });

  it.each(share(['kafka-classpath', 'cluster.key', 'kafka', 'run'], 4, day))(
    'in the checkout with only %s',
    async (name) => {
      settings.MILENA_STATE_DIR = '';
      mkdirSync(join(clone, '.milena'));
      writeFileSync(join(clone, '.milena', name), 'of before');
      const before = fingerprint(join(clone, '.milena'));
      expect(await wipe()).toMatchObject({ code: 64, stderr: expect.stringContaining('touch ') });
      expect(fingerprint(join(clone, '.milena'))).toEqual(before);
    },
  );

  it.each(share(['kafka', 'cluster', 'deleted-kafka', 'deleted-cluster'], 2, day))(
    '%s, within a state folder of ours: nothing is stopped or deleted, and that is said',
    async (name) => {
      marked();
      const theirs = foreignFolder(state, name);
      for (const file of ['kind', 'nodes']) writeFileSync(join(theirs, file), 'jvm 1\n');
      const before = fingerprint(theirs);
      const done = await (name.endsWith('cluster') ? wipeCluster() : wipe());
      expect(done).toMatchObject({ code: 1, stdout: '' });
      expect(done.stderr).toContain('was not made by these scripts');
      expect(done.stderr).toContain('nothing was deleted');
      expect(fingerprint(theirs)).toEqual(before);
    },
  );

  it('is not marked by a start, either', async () => {
    marked();
    mkdirSync(join(state, 'kafka/data'), { recursive: true });
    writeFileSync(join(state, 'kafka/novel'), 'The Trial');
    const before = fingerprint(join(state, 'kafka'));
    settings.PATH = fakePrograms(box, { docker: 'exit 0', mvn: 'exit 1' });
    const done = await run('start_kafka.sh');
    expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining('was not made by these scripts') });
    expect(fingerprint(join(state, 'kafka'))).toEqual(before);
  });

  it.each([
    ['a link to somebody’s file', (mark: string) => symlinkSync(join(box, 'diary'), mark)],
    ['a link that leads nowhere', (mark: string) => symlinkSync(join(box, 'made'), mark)],
    ['a folder', (mark: string) => mkdirSync(mark)],
  ])('%s by the mark’s name is none', async (_, make) => {
    unmarked(state);
    writeFileSync(join(box, 'diary'), 'mine');
    make(join(state, '.milena-data'));
    const before = fingerprint(box);
    expect((await wipe()).code).not.toBe(0);
    expect(fingerprint(box)).toEqual(before);
  });
});

describe('a state folder that cannot be one', () => {
  it.each([
    ['a link that leads nowhere', () => symlinkSync(join(box, 'made'), state), ''],
    ['a folder behind such a link', () => symlinkSync(join(box, 'made'), state), 'inside'],
    ['a folder below a file', () => writeFileSync(state, ''), 'inside'],
  ])('%s', async (_, make, below) => {
    make();
    settings.MILENA_STATE_DIR = join(state, below);
    for (const script of share(['stop_everything.sh', 'start_kafka.sh', 'start_client.sh'], 3, day)) {
      const done = await run(script);
      expect(done).toMatchObject({
        code: 64,
        stdout: '',
        stderr: expect.stringContaining('MILENA_STATE_DIR'),
      });
      expect(done.stderr).not.toMatch(/common\.sh|state-folder\.sh|mkdir:/);
      expect(existsSync(join(box, 'made'))).toBe(false);
    }
  });

  it.each(share(['run', 'kafka', 'logs', 'cluster'], 2, day))(
    'its %s is a file, or a link that leads nowhere',
    async (name) => {
      marked();
      for (const make of [
        (path: string) => symlinkSync(join(box, 'made'), path),
        (path: string) => writeFileSync(path, 'mine'),
      ]) {
        rmSync(join(state, name), { recursive: true, force: true });
        make(join(state, name));
        const before = lstatSync(join(state, name)).mode;
        const done = await (name === 'cluster' ? wipeCluster() : wipe());
        expect(done.code).not.toBe(0);
        expect(done.stderr).toContain(join(state, name));
        expect(done.stderr).not.toMatch(/\.sh: line/);
        expect(lstatSync(join(state, name)).mode).toBe(before);
        expect(existsSync(join(box, 'made'))).toBe(false);
      }
    },
  );
});

it.each(['run', 'logs'])(
  '%s, within a state folder of ours, by a link to somebody’s folder',
  async (name) => {
    marked();
    const theirs = foreignFolder(box, 'theirs');
    // What would be taken for a note of a program that has ended.
    writeFileSync(join(theirs, 'client.4000000'), 'mine');
    rmSync(join(state, name), { recursive: true });
    symlinkSync(theirs, join(state, name));
    const before = fingerprint(theirs);
    for (const script of share(['stop_everything.sh', 'start_kafka.sh', 'start_frontend.sh'], 3, day)) {
      const done = await run(script);
      expect(done).toMatchObject({ code: 1, stdout: '' });
      expect(done.stderr).toContain(`${join(state, name)} is a link`);
    }
    expect(fingerprint(theirs)).toEqual(before);
  },
);

describe('the client of a checkout', () => {
  const unset = ['MILENA_PORT', 'MILENA_HOST'];
  const list = (more: Record<string, string> = {}) =>
    call(join(clone, 'milena'), ['list'], {
      settings: { ...settings, MILENA_SERVER: '127.0.0.1:1', ...more },
      unset,
    });

  it('runs beside a state folder that is not ours, which it leaves alone', async () => {
    const theirs = foreignFolder(box, 'theirs');
    const all = [
      () => unmarked(state),
      () => writeFileSync(state, ''),
      () => symlinkSync(join(box, 'made'), state),
      () => symlinkSync(theirs, state),
      // Somebody else's, who lets nobody in.
      () => mkdirSync(state, { mode: 0 }),
    ];
    for (const make of share(all, 3, day)) {
      make();
      const before = fingerprint(theirs);
      const done = await list();
      expect(done).toMatchObject({ code: 69, stderr: expect.stringContaining('nobody listens') });
      expect(fingerprint(theirs)).toEqual(before);
      expect(existsSync(join(box, 'made'))).toBe(false);
      rmSync(state, { recursive: true, force: true });
    }
  });

  it('makes the folder of its note again, and writes none by a link', async () => {
    marked();
    const path = join(state, 'run');
    rmSync(path, { recursive: true });
    expect(await list()).toMatchObject({ code: 69 });
    expect(lstatSync(path)).toSatisfy((stat) => stat.isDirectory() && (stat.mode & 0o777) === 0o700);
    rmSync(path, { recursive: true });
    const theirs = foreignFolder(box, 'theirs');
    symlinkSync(theirs, path);
    const changed = lstatSync(theirs).mtimeMs;
    expect(await list()).toMatchObject({ code: 69 });
    expect(lstatSync(theirs).mtimeMs).toBe(changed);
  });

  it('by its script, too, has the server of its settings file, unless the address was said', async () => {
    const named = join(box, 'settings.json');
    writeFileSync(named, '{ "server": "127.0.0.1:2" }');
    const home = { HOME: box, XDG_CONFIG_HOME: box };
    mkdirSync(join(box, 'milena'));
    writeFileSync(join(box, 'milena/settings.json'), '{ "server": "127.0.0.1:3" }');
    const said = { MILENA_HOST: '', MILENA_PORT: '' };
    for (const [at, [more, server]] of (
      [
        [{ ...said, MILENA_SETTINGS: named }, '127.0.0.1:2'],
        [said, '127.0.0.1:3'],
        [{ MILENA_HOST: '', MILENA_PORT: '4' }, '127.0.0.1:4'],
        [{ ...said, MILENA_SERVER: '127.0.0.1:5' }, '127.0.0.1:5'],
      ] as const
    ).entries()) {
      // What is empty hides what is here.
      writeFileSync(join(clone, '.env'), 'MILENA_HOST=localhost\nMILENA_PORT=6\n');
      for (const script of share(['milena', 'start_client.sh'], 2, at)) {
        const done = await call(join(clone, script), ['list'], {
          settings: { ...settings, ...home, ...more },
        });
        expect(done, script).toMatchObject({ code: 69, stderr: expect.stringContaining(server) });
      }
    }
  });
});

it('the port of its own Kafka is remembered where a frontend was given another one', async () => {
  marked();
  mkdirSync(join(state, 'kafka'));
  writeFileSync(join(state, 'kafka/.milena-data'), '');
  writeFileSync(join(state, 'kafka/kind'), 'jvm 29095\n');
  settings.MILENA_KAFKA_PORT = '';
  const port = () =>
    call('bash', ['-c', `. scripts/common.sh; echo "$MILENA_KAFKA_PORT $MILENA_KAFKA_BROKERS"`], {
      settings,
      cwd: clone,
    });
  expect(await port()).toMatchObject({ stdout: '29095 127.0.0.1:29095\n' });
  settings.MILENA_KAFKA_BROKERS = 'other:9092';
  expect(await port()).toMatchObject({ stdout: '29095 other:9092\n' });
});

describe('what an interrupted --wipe of an earlier version has left', () => {
  it('is deleted where it has the mark, and named where it has none', async () => {
    marked();
    const [ours, theirs] = [join(state, 'deleted.17'), foreignFolder(state, 'deleted.18')];
    mkdirSync(join(ours, 'data'), { recursive: true });
    for (const file of ['.milena-data', 'data/log']) writeFileSync(join(ours, file), '');
    const link = join(state, 'deleted.19');
    symlinkSync(theirs, link);
    const before = fingerprint(theirs);
    const done = await wipe();
    expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining(`${theirs} may be left`) });
    expect(existsSync(ours)).toBe(false);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(fingerprint(theirs)).toEqual(before);
  });
});

const THINGS: Readonly<Record<string, (path: string) => void>> = {
  'a folder with something in it': (path) => {
    mkdirSync(path);
    writeFileSync(join(path, 'diary'), 'mine');
  },
  'a link that leads nowhere': (path) => symlinkSync(join(box, 'made'), path),
  'a link to somebody’s folder': (path) => symlinkSync(foreignFolder(box, 'theirs'), path),
  'a link to somebody’s file': (path) => {
    writeFileSync(join(box, 'diary'), 'mine');
    symlinkSync(join(box, 'diary'), path);
  },
};

/** Where a script keeps a file of its own, and a script that does. */
const PLACES: readonly (readonly [string, string, ...string[]])[] = [
  ['kafka.lock', 'stop_everything.sh'],
  ['kafka.lock', 'start_kafka.sh'],
  ['cluster.lock', 'scripts/cluster.sh', 'start'],
  ['frontend-PORT.lock', 'start_frontend.sh', '--background'],
  ['run/client.1', 'stop_everything.sh'],
  ['run/frontend.4000000', 'start_frontend.sh', '--background'],
  ['kafka/pid', 'stop_everything.sh'],
  ['kafka/keeper', 'start_kafka.sh'],
  ['kafka/kind', 'start_kafka.sh'],
  ['cluster/nodes', 'stop_everything.sh'],
  ['cluster/1/pid', 'scripts/cluster.sh', 'status'],
  ['cluster/frontends', 'scripts/cluster.sh', 'start'],
  ['logs/kafka.log', 'start_kafka.sh'],
  ['logs/frontend-PORT.log', 'start_frontend.sh', '--background'],
];

describe.each(Object.keys(THINGS).entries().toArray())('(%d) %s by the name of', (at, thing) => {
  it.each(share(PLACES, 4, at))('%s: %s says so and what to do', async (name, script, ...args) => {
    marked();
    const path = join(state, name.replace('PORT', settings.MILENA_PORT ?? ''));
    for (const part of ['kafka', 'cluster']) {
      if (!name.startsWith(`${part}/`)) continue;
      mkdirSync(join(state, part, '1'), { recursive: true });
      writeFileSync(join(state, part, '.milena-data'), '');
    }
    // A Kafka that answers: the frontend's script gets as far as its log.
    const { port, close } = await listener();
    onTestFinished(close);
    if (script === 'start_frontend.sh') settings.MILENA_KAFKA_BROKERS = `127.0.0.1:${port}`;
    THINGS[thing]?.(path);
    const before = fingerprint(box);
    const done = await run(script, ...args);
    expect(done.stderr).toContain(`${path} is a `);
    expect(done.stderr).toContain('move it away');
    expect(done).toMatchObject({ code: 1, stdout: '' });
    expect(fingerprint(box)).toEqual(before);
  });

  it('the checkout’s own build.lock', async () => {
    await run('stop_everything.sh');
    rmSync(join(clone, 'dist/.built'));
    THINGS[thing]?.(join(clone, '.milena/build.lock'));
    const before = fingerprint(join(clone, '.milena'));
    const done = await run('test_producer.sh');
    expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining('build.lock is a ') });
    expect(fingerprint(join(clone, '.milena'))).toEqual(before);
  });
});

it.each(['kafka', 'cluster', 'frontend-PORT'])('a file by the name of %s.lock is no lock', async (name) => {
  await run('stop_everything.sh');
  const path = join(state, `${name}.lock`.replace('PORT', settings.MILENA_PORT ?? ''));
  writeFileSync(path, 'mine');
  const done =
    name === 'kafka'
      ? await run('start_kafka.sh')
      : await (name === 'cluster' ? run('scripts/cluster.sh', 'start') : run('start_frontend.sh'));
  expect(done).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`${path} is a file`) });
  expect(readFileSync(path, 'utf8')).toBe('mine');
});

async function listener(): Promise<{ port: number; close: () => void }> {
  const { createServer } = await import('node:net');
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () => void server.close(),
  };
}

describe('.env', () => {
  const BOM = '\ufeff';

  it.each([
    ['a BOM', `${BOM}MILENA_PORT=nonsense\n`],
    ['CRLF', `# first\r\nMILENA_PORT=nonsense\r\nMILENA_HOST=localhost\r\n`],
    ['both', `${BOM}MILENA_PORT="nonsense"\r\n`],
    ['a BOM before export, and no end', `${BOM}export MILENA_PORT=nonsense`],
  ])('with %s is read as any other', async (_, text) => {
    writeFileSync(join(clone, '.env'), text);
    const unset = ['MILENA_PORT', 'MILENA_HOST'];
    for (const [script, ...args] of [['stop_everything.sh'], ['milena', 'list']] as const) {
      const done = await call(join(clone, script), args, { settings, unset });
      expect(done.code).toBe(64);
      expect(done.stderr).toContain('MILENA_PORT=nonsense');
    }
  });

  it.each<[string, (path: string) => void]>([
    ['a folder', (path) => mkdirSync(path)],
    ['a link that leads nowhere', (path) => symlinkSync(join(box, 'made'), path)],
    ['UTF-16', (path) => writeFileSync(path, '\ufeffMILENA_PORT=8081\n', 'utf16le')],
  ])('that is %s is not passed over', async (_, make) => {
    make(join(clone, '.env'));
    for (const [script, ...args] of [['stop_everything.sh'], ['milena', 'list']] as const) {
      const done = await call(join(clone, script), args, { settings });
      expect(done).toMatchObject({ code: 64, stdout: '' });
      expect(done.stderr).toContain(join(clone, '.env'));
      expect(done.stderr).toMatch(/NAME=value|MILENA_PORT=8080/);
    }
  });
});
