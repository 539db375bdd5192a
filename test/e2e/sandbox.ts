/** Folders that belong to somebody else, to see that scripts leave them alone, and copies of the checkout. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Finished, ROOT, scriptEnvironment } from './script.ts';

export const SCRIPTS_AT_TOP = readdirSync(ROOT).filter((name) => name.endsWith('.sh'));

/** Every path below a folder, with its kind, its mode and what is in it. Links are not followed. */
export function fingerprint(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      const stat = lstatSync(path);
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`;
      if (stat.isDirectory())
        return [`${name}/ ${mode}`, ...fingerprint(path).map((line) => `${name}/${line}`)];
      return `${name} ${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
    });
}

/** A folder full of what somebody else keeps, under the very names that the scripts use, and odder ones. */
export function foreignFolder(parent: string, name: string): string {
  const folder = join(parent, name);
  for (const part of ['kafka/data', 'cluster', 'logs', 'scripts', 'node_modules', 'a folder\nof two lines']) {
    mkdirSync(join(folder, part), { recursive: true });
    writeFileSync(join(folder, part, 'diary'), `mine: ${part}`);
  }
  writeFileSync(join(folder, 'kafka/notes'), 'about Kafka, the writer');
  writeFileSync(join(folder, 'cluster.key'), 'to the bicycle');
  return folder;
}

/** A temporary folder that is there until `remove`. */
export function sandbox(): { readonly path: string; remove: () => void } {
  // Odd on purpose: every path of a test has a blank, a quote and letters beyond ASCII in it.
  const top = mkdtempSync(join(tmpdir(), 'milena-box-'));
  const path = join(top, "Jürgen's box");
  mkdirSync(path);
  return { path, remove: () => rmSync(top, { recursive: true, force: true, maxRetries: 3 }) };
}

export interface CheckoutOptions {
  /** With packages and a build, as after the first start. */
  readonly built?: boolean;
  /** With the list of Kafka's jars, which Maven takes seconds to make. */
  readonly jars?: boolean;
}

/** What a clone has of scripts and settings; packages and build are those of this checkout. */
export function checkout(parent: string, options: CheckoutOptions = {}): string {
  const folder = join(parent, 'clone');
  mkdirSync(folder);
  for (const name of [
    ...SCRIPTS_AT_TOP,
    'milena',
    'scripts',
    'kafka',
    'docker-compose.yml',
    'tsconfig.json',
  ]) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  for (const name of [
    'package.json',
    'package-lock.json',
    '.npmrc',
    'tsconfig.build.json',
    'rolldown.config.ts',
  ]) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  // Nothing is built in a copy: what is only looked at need not be one.
  symlinkSync(join(ROOT, 'src'), join(folder, 'src'));
  if (options.built === true) {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const runs = (path: string) => !/\.(map|ts|tsbuildinfo)$/.test(path);
    cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true, filter: runs });
    writeFileSync(join(folder, 'dist/.built'), '');
  }
  if (options.jars === true) {
    mkdirSync(join(folder, '.milena'), { mode: 0o700 });
    writeFileSync(join(folder, '.milena/.milena-data'), '');
    cpSync(join(ROOT, '.milena/kafka-classpath'), join(folder, '.milena/kafka-classpath'));
  }
  return folder;
}

/** A program on a PATH of its own, before the others. Returns the PATH. */
export function fakePrograms(parent: string, programs: Readonly<Record<string, string>>): string {
  const folder = join(parent, 'fake bin');
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(programs)) {
    rmSync(join(folder, name), { force: true });
    writeFileSync(join(folder, name), `#!/usr/bin/env bash\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return `${folder}:${process.env.PATH}`;
}

export interface CallOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Variables that are not there at all. */
  readonly unset?: readonly string[];
  /** A shell command before, in the same shell: umask, for example. */
  readonly before?: string;
}

/** A script by its path, by `exec`, so that its process is the child. */
export function start(path: string, args: readonly string[], options: CallOptions = {}) {
  const env = scriptEnvironment({ ...options.settings });
  for (const name of options.unset ?? []) delete env[name];
  // Without --norc bash would read the person's ~/.bashrc: it takes a socket, as Node's pipes are, for a remote login.
  const child = spawn('bash', ['--norc', '-c', `${options.before ?? ':'}; exec "$0" "$@"`, path, ...args], {
    env,
    cwd: options.cwd ?? dirname(path),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => {}); // it may end without reading
  if (options.input !== undefined) child.stdin.end(options.input);
  const finished = new Promise<Finished>((resolve) =>
    child.once('close', (code) => resolve({ code, stdout, stderr })),
  );
  return { child, finished };
}

export function call(path: string, args: readonly string[], options: CallOptions = {}): Promise<Finished> {
  return start(path, args, { input: '', ...options }).finished;
}
