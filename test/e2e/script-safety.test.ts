/**
 * However a script is called, it finds its own checkout, and whatever folder it is given, it leaves alone what is not
 * its own: a folder of somebody else's files around it is the same before and after.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../broker/ports.ts';
import { share } from '../size.ts';
import { built } from './running-frontend.ts';
import {
  type CallOptions,
  call,
  checkout,
  fakePrograms,
  fingerprint,
  foreignFolder,
  sandbox,
} from './sandbox.ts';
import { ROOT } from './script.ts';

const box = sandbox();
let clone: string;
let foreign: string;
let state: string;
let settings: Record<string, string>;
let untouched: readonly string[];

beforeAll(async () => {
  await built();
  clone = checkout(box.path, { built: true });
  foreign = foreignFolder(box.path, 'of somebody else');
  state = join(box.path, 'state, folder');
  settings = {
    MILENA_STATE_DIR: state,
    MILENA_PORT: String(await freePort()),
    MILENA_KAFKA_PORT: String(await freePort()),
    MILENA_KAFKA: '',
    MILENA_SERVER: `127.0.0.1:${await freePort()}`,
    MILENA_DATA_DIR: join(box.path, 'history'),
  };
  untouched = fingerprint(foreign);
});

afterAll(box.remove);

/** What each script does here, where nothing runs: it gets as far as it can without Kafka, and says so. */
const CALLS: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ['stop_everything.sh', ['--wipe', '--yes'], 0, /There was no data here to delete/],
  ['scripts/cluster.sh', ['stop', '--wipe', '--yes'], 0, /There was no cluster to delete/],
  ['scripts/cluster.sh', ['status'], 0, /There is no cluster/],
  ['scripts/kafka-tool.sh', ['topics', '--list'], 69, /No Kafka answers/],
  ['scripts/kafka-classpath.sh', ['--help'], 0, /Prints the class path/],
  ['start_frontend.sh', ['--background'], 69, /No Kafka answers/],
  ['start_client.sh', [], 69, /No frontend answers/],
  ['start_everything.sh', ['--nonsense'], 64, /unknown argument: --nonsense/],
  ['start_kafka.sh', ['--nonsense'], 64, /unknown argument: --nonsense/],
  ['scripts/invite.sh', ['--nonsense'], 64, /nonsense/],
  ['scripts/preview.sh', ['--nonsense'], 64, /nonsense/],
  ['spawn_consumer.sh', [], 64, /Which topic/],
  ['spawn_producer.sh', [], 64, /Which topic/],
  ['test_producer.sh', ['--nonsense'], 64, /takes no argument/],
  ['test_everything.sh', ['--help'], 0, /every test/],
  ['milena', ['list'], 69, /nobody listens/],
  ['milena', ['keys'], 0, /key/],
];

type Way = (script: string) => { readonly path: string } & CallOptions;

/** A link somewhere, of that name, to that path. */
function link(name: string, target: string): string {
  const path = join(box.path, 'links', name);
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) symlinkSync(target, path);
  return path;
}

const WAYS: Readonly<Record<string, Way>> = {
  'by its path, from a folder of somebody else': (script) => ({ path: join(clone, script), cwd: foreign }),
  'by a link in another folder': (script) => ({
    path: link(`direct/${script}`, join(clone, script)),
    cwd: foreign,
  }),
  'by a relative link to a link, from the folder that it lies in': (script) => {
    const first = link(`chain/${script}.first`, join(clone, script));
    const second = link(`chain/${script}`, `./${script.replace(/^.*\//, '')}.first`);
    expect(dirname(first)).toBe(dirname(second));
    return { path: `./${script.replace(/^.*\//, '')}`, cwd: dirname(second) };
  },
  'by a link to the whole folder': (script) => ({
    path: join(link('whole', relative(join(box.path, 'links'), clone)), script),
    cwd: foreign,
  }),
  'without HOME and TMPDIR, with CDPATH': (script) => ({
    path: `./${script}`,
    cwd: clone,
    unset: ['HOME', 'TMPDIR'],
    settings: { CDPATH: foreign },
  }),
  'with everything masked, and a TMPDIR that is not there': (script) => ({
    path: join(clone, script),
    before: 'umask 0777',
    settings: { TMPDIR: join(foreign, 'nowhere') },
  }),
  'with nothing masked, from the root': (script) => ({
    path: join(clone, script),
    before: 'umask 0',
    cwd: '/',
  }),
};

describe.each(Object.keys(WAYS).entries().toArray())('every script (%d), called %s', (at, way) => {
  it.each(share(CALLS, Object.keys(WAYS).length, at))(
    '%s %j ends with %i',
    async (script, args, code, said) => {
      const { path, ...options } = (WAYS[way] as Way)(script);
      const done = await call(path, args, {
        ...options,
        settings: { ...settings, ...options.settings, ...(script === 'milena' ? {} : { MILENA_SERVER: '' }) },
      });
      expect(done.stdout + done.stderr).toMatch(said);
      expect(done.code).toBe(code);
      expect(fingerprint(foreign)).toEqual(untouched);
      // Nothing that others may write to, and the folder with keys and messages is for its owner alone.
      if (existsSync(state)) expect(statSync(state).mode & 0o777).toBe(0o700);
      expect(statSync(join(clone, '.milena')).mode & 0o777).toBe(0o700);
    },
  );
});

describe('a script without its checkout', () => {
  // All of them begin alike.
  it.each(share(CALLS, 8, 0))('%s %j ends before it does anything', async (script, args) => {
    const copy = join(foreignFolder(box.path, `lost ${script.replaceAll('/', ' ')}`), script);
    cpSync(join(clone, script), copy);
    const removed = join(box.path, 'removed');
    const PATH = fakePrograms(box.path, { rm: `printf '%s\\n' "$@" >>"${removed}"` });
    const before = fingerprint(dirname(copy));
    const done = await call(copy, args, { settings: { PATH }, cwd: box.path });
    expect(done.code).not.toBe(0);
    expect(existsSync(removed)).toBe(false);
    expect(fingerprint(dirname(copy))).toEqual(before);
  });
});

describe('a state folder that is not ours', () => {
  const home = join(box.path, 'home');
  let theirs: string;
  const wrong: readonly (readonly [string, () => string])[] = [
    ['the root', () => '/'],
    ['the root in other words', () => '/tmp/..'],
    ['the home, empty as it is', () => home],
    ['the checkout', () => clone],
    ['the folder around it', () => dirname(clone)],
    ['its packages', () => join(clone, 'dist')],
    ['files of somebody else', () => foreign],
    ['a link to them', () => theirs],
    ['one thing of a name that we use, too', () => join(foreign, 'only')],
    ['a file', () => join(foreign, 'cluster.key')],
    ['a name of two lines', () => join(box.path, 'two\nlines')],
  ];

  beforeAll(() => {
    theirs = link('to somebody else', foreign);
    mkdirSync(home);
    mkdirSync(join(foreign, 'only/kafka'), { recursive: true });
    writeFileSync(join(foreign, 'only/kafka/novel'), 'The Trial');
    untouched = fingerprint(foreign);
  });

  const DESTRUCTIVE = [
    ['stop_everything.sh', '--wipe', '--yes'],
    ['scripts/cluster.sh', 'stop', '--wipe'],
    ['start_kafka.sh'],
  ];
  const rows = wrong.map(([what, folder], at) => [what, folder, share(DESTRUCTIVE, 3, at)] as const);

  it.each(rows)('%s: nothing is written there, and nothing deleted', async (_, folder, scripts) => {
    const before = fingerprint(dirname(clone));
    for (const [script, ...args] of scripts) {
      const done = await call(join(clone, script ?? ''), args, {
        settings: { ...settings, HOME: home, MILENA_STATE_DIR: folder() },
      });
      expect(done.code).toBe(64);
      expect(done.stderr).toMatch(/MILENA_STATE_DIR|line break/);
    }
    expect(fingerprint(foreign)).toEqual(untouched);
    expect(fingerprint(dirname(clone))).toEqual(before);
  });

  it('a link in our own folder to theirs is not followed by --wipe', async () => {
    const own = join(box.path, 'linked state');
    const options = { settings: { ...settings, MILENA_STATE_DIR: own } };
    await call(join(clone, 'stop_everything.sh'), [], options);
    symlinkSync(join(foreign, 'kafka'), join(own, 'kafka'));
    const done = await call(join(clone, 'stop_everything.sh'), ['--wipe', '--yes'], options);
    expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining('is a link to another folder') });
    expect(fingerprint(foreign)).toEqual(untouched);
    expect(existsSync(join(own, 'kafka'))).toBe(true);
  });

  it('a folder kafka that we have not made stays, even in our own', async () => {
    const own = join(box.path, 'mixed state');
    const options = { settings: { ...settings, MILENA_STATE_DIR: own } };
    await call(join(clone, 'stop_everything.sh'), [], options);
    cpSync(join(foreign, 'kafka'), join(own, 'kafka'), { recursive: true });
    const done = await call(join(clone, 'stop_everything.sh'), ['--wipe', '--yes'], options);
    expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining('was not made by these scripts') });
    expect(fingerprint(join(own, 'kafka'))).toEqual(fingerprint(join(foreign, 'kafka')));
  });
});

describe('settings and notes', () => {
  it.each([
    ['MILENA_HOST', 'x$/\\1/p;e touch made #'],
    ['MILENA_HOST', '../../made'],
    ['MILENA_KAFKA_HEAP', '64m -XX:OnOutOfMemoryError=touch'],
    ['MILENA_KAFKA_PORT', '9092 made'],
  ])('%s=%s ends the script with the variable in words', async (name, value) => {
    writeFileSync(join(clone, '.env'), `${name}=${value}\n`);
    onTestFinished(() => rmSync(join(clone, '.env')));
    const done = await call(join(clone, 'stop_everything.sh'), [], {
      settings: {},
      unset: ['MILENA_HOST', 'MILENA_KAFKA_PORT', 'MILENA_PORT'],
    });
    expect(done.code).toBe(64);
    expect(done.stderr).toContain(`${name}=`);
    expect(existsSync(join(clone, 'made'))).toBe(false);
  });

  function sandboxed(): string {
    const own = sandbox();
    onTestFinished(own.remove);
    return own.path;
  }

  it('a relative state folder is meant from the checkout, from wherever a script is called', async () => {
    const done = await call(join(clone, 'stop_everything.sh'), [], {
      settings: { ...settings, MILENA_STATE_DIR: 'mine' },
      cwd: foreign,
    });
    expect(done.code).toBe(0);
    expect(existsSync(join(clone, 'mine/run'))).toBe(true);
    expect(fingerprint(foreign)).toEqual(untouched);
  });

  it('what somebody’s ~/.bashrc does is not waited for', async () => {
    // bash takes a socket for a login from elsewhere, and a pipe of Node’s is one.
    const HOME = sandboxed();
    writeFileSync(join(HOME, '.bashrc'), 'touch ~/read');
    const done = await call(join(clone, 'stop_everything.sh'), [], {
      settings: { ...settings, HOME },
      unset: ['SHLVL'],
    });
    expect(done.code).toBe(0);
    expect(existsSync(join(HOME, 'read'))).toBe(false);
  });

  it.each([
    ['another program’s name', `${process.execPath}\n127.0.0.1:1\n`],
    ['nothing', ''],
    ['a program of ours that it is not', `${ROOT}/dist/bin/frontend.js\n127.0.0.1:1\n`],
  ])('a note with %s in it ends nobody', async (_, note) => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)', ''], { stdio: 'ignore' });
    onTestFinished(() => {
      stranger.kill();
    });
    await call(join(clone, 'stop_everything.sh'), [], { settings });
    for (const kind of ['frontend', 'client', 'tool'])
      writeFileSync(join(state, `run/${kind}.${stranger.pid}`), note);
    mkdirSync(join(state, 'kafka'), { recursive: true });
    for (const file of ['pid', 'keeper']) writeFileSync(join(state, 'kafka', file), `${stranger.pid}\n`);
    mkdirSync(join(state, 'cluster/1'), { recursive: true });
    writeFileSync(join(state, 'cluster/nodes'), '1 9092 9093\n');
    writeFileSync(join(state, 'cluster/1/pid'), `${stranger.pid}\n`);
    const done = await call(join(clone, 'stop_everything.sh'), [], { settings });
    expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/Nothing of .* was running/) });
    expect(stranger.exitCode ?? stranger.signalCode).toBe(null);
  });
});
