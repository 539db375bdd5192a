/**
 * What `npm ci` brings: by hashes of the lock file alone, with no program of a package run on the way. And what this one
 * brings to whoever installs it.
 */
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { built } from './e2e/running-frontend.ts';
import { ROOT, scriptEnvironment } from './e2e/script.ts';

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  /** Only to develop with. */
  readonly dev?: boolean;
  readonly os?: string;
  readonly cpu?: string;
  readonly bin?: Readonly<Record<string, string>>;
}

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const packages: Readonly<Record<string, Locked>> = JSON.parse(read('package-lock.json')).packages;
const installed = Object.entries(packages).filter(([path]) => path !== '');

describe('the packages', () => {
  it('have a hash in the lock file, each of them', () => {
    expect(installed.length).toBeGreaterThan(100);
    const without = installed.filter(([, { integrity }]) => !/^sha512-.{86}==$/.test(integrity ?? ''));
    expect(without.map(([path]) => path)).toEqual([]);
  });

  it('run no program while they are installed', () => {
    expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true');
  });

  it('bring Node as it is: a package for each kind of machine, none that would fetch it', () => {
    const bringers = installed.filter(([, { bin }]) => bin?.node !== undefined);
    expect(bringers.map(([, { os, cpu }]) => `${os} ${cpu}`).sort()).toEqual([
      'darwin arm64',
      'darwin x64',
      'linux arm64',
      'linux x64',
    ]);
    for (const [path, { version, hasInstallScript }] of bringers) {
      expect(hasInstallScript, path).toBeUndefined();
      // crypto.argon2 came with 24.7.
      const [major = 0, minor = 0] = version.split('.').map(Number);
      expect(major > 24 || (major === 24 && minor >= 7), `${path} ${version}`).toBe(true);
    }
    const running = relative(ROOT, realpathSync(join(ROOT, 'node_modules/.bin/node')));
    expect(bringers.map(([path]) => `${path}/bin/node`)).toContain(running);
  });
});

describe('this package, packed and installed in an empty folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'milena-installed-'));
  const home = join(folder, 'node_modules/milena');
  const run = promisify(execFile);

  /** As npm does it, without the network: its file unpacked beside the packages that it depends on, and no others. */
  beforeAll(async () => {
    await built();
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: ROOT });
    const [{ filename }]: [{ filename: string }] = JSON.parse(stdout);
    mkdirSync(home, { recursive: true });
    await run('tar', ['-xzf', join(folder, filename), '-C', home, '--strip-components=1']);
    const needed = installed.filter(
      ([path, { dev }]) => dev !== true && !/node_modules.*node_modules/.test(path),
    );
    for (const [path] of needed) link(join(ROOT, path), join(folder, path));
    link(process.execPath, join(folder, 'node_modules/.bin/node'));
    link(join(home, 'milena'), join(folder, 'node_modules/.bin/milena'));
    // Its users have types of Node's of their own.
    for (const name of ['@types/node', 'undici-types'])
      link(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Leaves out what is only for another kind of machine. */
  function link(from: string, to: string): void {
    if (!existsSync(from)) return;
    mkdirSync(dirname(to), { recursive: true });
    symlinkSync(from, to);
  }

  function write(name: string, text: string): string {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  }

  it('has what runs, what says how, and nothing else', () => {
    const top = readdirSync(home).sort();
    expect(top).toEqual(['LICENSE', 'README.md', 'dist', 'docs', 'milena', 'package.json', 'scripts']);
    const { exports }: { exports: Record<string, { types: string; default: string }> } = JSON.parse(
      readFileSync(join(home, 'package.json'), 'utf8'),
    );
    for (const { types, default: code } of Object.values(exports)) {
      expect(existsSync(join(home, types)), types).toBe(true);
      expect(existsSync(join(home, code)), code).toBe(true);
    }
  });

  it('serves: a server on memory, and two who talk through it', async () => {
    const program = write(
      'serve.js',
      `import { connect } from 'milena';
import { readConfig, startServer } from 'milena/server';
import { openMemoryStorage } from 'milena/storage/memory';

const storage = openMemoryStorage();
const server = await startServer(storage, readConfig({ MILENA_PORT: '0', MILENA_LOG_LEVEL: 'silent' }));
const at = \`\${server.address.host}:\${server.address.port}\`;
for (const name of ['anna', 'bert']) await storage.accounts.create({ name });
const anna = await connect({ server: at, user: 'anna' });
const bert = await connect({ server: at, user: 'bert' });
const sent = await anna.send('bert', 'hello from a package');
for await (const message of bert.messages()) {
  console.log(message.from, message.body);
  message.ack();
  break;
}
console.log(await sent.delivered);
await anna.close();
await bert.close();
console.log(await server.drain());
await storage.close();
`,
    );
    const { stdout, stderr } = await run(process.execPath, [program], { cwd: folder });
    expect({ stdout, stderr }).toEqual({
      stdout: 'anna hello from a package\ndelivered\n0\n',
      stderr: '',
    });
  });

  it('has types for all that it exports', async () => {
    write(
      'use.ts',
      `import { connect } from 'milena';
import { FrameDecoder, type Request, v2 } from 'milena/protocol';
import { EngineError, readConfig, type Server, type Storage, startServer } from 'milena/server';
import { openKafkaStorage } from 'milena/storage/kafka';
import { MEMORY_LIMITS, MemoryStore, openMemoryStorage } from 'milena/storage/memory';

const storage: Storage = openMemoryStorage(new MemoryStore({ ...MEMORY_LIMITS, maxBytes: 2 ** 20 }));
const server: Server = await startServer(storage, readConfig({ MILENA_PORT: '0' }));
const request: Request = { type: 'list', pattern: 'a*' };
const bytes: Uint8Array = v2.encodeRequest(request);
const me = await connect({ server: 'localhost:8080', user: 'anna', password: 'secret' });
const code: string = new EngineError('BUSY', 'a queue is full').code;
export const all = [server, bytes, me, code, FrameDecoder, openKafkaStorage];
// @ts-expect-error a port is a number, and not anything
const port: string = server.address.port;
// @ts-expect-error there is no such request
const odd: Request = { type: 'dance' };
// @ts-expect-error what is sent is a text
await me.send('bert', 7);
export const wrong = [port, odd];
`,
    );
    const options = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, types: ['node'] };
    write('tsconfig.json', JSON.stringify({ compilerOptions: options, files: ['use.ts'] }));
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const { stdout } = await run(tsc, ['-p', folder], { cwd: folder }).catch((error: unknown) =>
      error instanceof Error && 'stdout' in error ? { stdout: error.stdout } : Promise.reject(error),
    );
    expect(stdout).toBe('');
  });

  it('brings the client', async () => {
    const milena = join(folder, 'node_modules/.bin/milena');
    const env = { ...scriptEnvironment({}), HOME: folder };
    const { stdout, stderr } = await run(milena, ['--help'], { cwd: folder, env });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Usage: milena /);
    expect(existsSync(join(home, '.milena'))).toBe(false);
  });
});
