import { userInfo } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { isPort, type TlsSettings } from '../client/index.ts';
import { shown } from '../util/printable.ts';
import { readRegularFile, whyNotRead } from '../util/regular-file.ts';
import { suggest } from '../util/suggest.ts';
import type { Environment } from './environment.ts';
import { FORMER, type Given, SETTING_NAMES, type SettingRow, TABLE } from './setting-table.ts';

/** As `parseArgs` gives them: by flag. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** People write less into it; and all authorities that a system trusts are a quarter of a megabyte. */
const MAX_BYTES = 256 * 1024;
const MAX_CA_BYTES = 4 * 1024 * 1024;

/** What one source says. */
export type Layer = { -readonly [Name in keyof Given]?: Given[Name] };

/** Reads each source and gathers everything that is wrong. */
export class SettingSources {
  readonly problems: string[] = [];
  readonly path: string;
  readonly #environment: Environment;
  /** What the file holds, for the lines of what is wrong in it. */
  #text = '';
  /** The authorities' file as it was given, for messages about it. */
  #caFrom = '';
  #caGood = '';

  constructor(environment: Environment) {
    this.#environment = environment;
    const folder = baseFolder(environment, 'XDG_CONFIG_HOME', '.config');
    const named = variableOf(environment, 'MILENA_SETTINGS');
    this.path = named === undefined ? join(folder, 'milena', 'settings.json') : this.#resolve(named, '.');
  }

  file(): Layer {
    const layer: Layer = {};
    for (const [key, value] of Object.entries(this.#fileContent())) {
      const name = SETTING_NAMES.find((known) => known === key);
      if (key === FORMER.name) this.#former(value, `"${key}" in ${shown(this.path)}`);
      else if (name === undefined) this.problems.push(`${shown(this.path)}: ${unknownKey(key)}`);
      else this.#takeJson(layer, name, value);
    }
    return withTls(layer);
  }

  environment(): Layer {
    const layer: Layer = this.#frontendAddress();
    for (const name of SETTING_NAMES) {
      const { variable, example } = TABLE[name];
      const value = variableOf(this.#environment, variable);
      if (value !== undefined) {
        this.#take(layer, name, value, `${variable}=${shown(value)}`, `${variable}=${example}`, '.');
      }
    }
    this.#former(variableOf(this.#environment, FORMER.variable), FORMER.variable);
    return withTls(layer);
  }

  flags(flags: Flags): Layer {
    const layer: Layer = {};
    for (const name of SETTING_NAMES) {
      const { flag, example, json } = TABLE[name];
      const value = flags[flag];
      if (value === undefined) continue;
      const good = json === 'boolean' ? `--${flag}` : `--${flag} ${example}`;
      this.#take(layer, name, String(value), `--${flag} ${shown(JSON.stringify(value))}`, good, '.');
    }
    this.#former(flags[FORMER.flag], `--${FORMER.flag}`);
    return withTls(layer);
  }

  tls(file: string | undefined): TlsSettings {
    if (file === undefined) return {};
    const problem = (what: string) => {
      this.problems.push(
        `${this.#caFrom}: it must be a file of certificates, and ${what}. For example: ${this.#caGood}`,
      );
    };
    let text: string;
    try {
      text = readRegularFile(file, MAX_CA_BYTES);
    } catch (error) {
      problem(whyNotRead(error));
      return {};
    }
    try {
      const { X509Certificate } = process.getBuiltinModule('node:crypto');
      // Otherwise a wrong file would look like a server that nobody trusts.
      new X509Certificate(text);
    } catch {
      problem('it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)');
    }
    return { ca: text };
  }

  /** MILENA_HOST and MILENA_PORT are the frontend's: where it listens on every address, it is on this machine, too. */
  #frontendAddress(): Layer {
    const host = variableOf(this.#environment, 'MILENA_HOST');
    const port = variableOf(this.#environment, 'MILENA_PORT');
    if (host === undefined && port === undefined) return {};
    if (port !== undefined && !isPort(port)) {
      this.problems.push(
        `MILENA_PORT=${shown(port)}: it must be a port, a number from 1 to 65535. For example: MILENA_PORT=8080`,
      );
      return {};
    }
    const bare = host?.replace(/^\[(.*)\]$/, '$1');
    const everywhere = bare === undefined || bare === '0.0.0.0' || /^[0:]+$/.test(bare);
    return { server: [{ host: everywhere ? '127.0.0.1' : bare, port: Number(port ?? '8080') }] };
  }

  #fileContent(): object {
    let text: string;
    try {
      text = readRegularFile(this.path, MAX_BYTES);
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      const named = variableOf(this.#environment, 'MILENA_SETTINGS');
      if (missing && named === undefined) return {};
      const from = named === undefined ? shown(this.path) : `MILENA_SETTINGS=${shown(named)}`;
      const good = named === undefined ? '' : ' For example: MILENA_SETTINGS=~/milena/settings.json';
      this.problems.push(`${from}: it must be a file of settings, and ${whyNotRead(error)}.${good}`);
      return {};
    }
    this.#text = text;
    let problem = 'it must be one JSON object';
    try {
      const content: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
      if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content;
    } catch (error) {
      problem = `it is no JSON (${error instanceof Error ? error.message : String(error)})`;
    }
    this.problems.push(
      `${shown(this.path)}: ${problem}. For example: { "server": "127.0.0.1:8080", "user": "alice" }`,
    );
    return {};
  }

  #takeJson<Name extends keyof Given>(layer: Layer, name: Name, value: unknown): void {
    const { json, example } = TABLE[name];
    const at = this.#text.lastIndexOf(`"${name}"`);
    const line = this.#text.slice(0, Math.max(0, at)).split('\n').length;
    const from = `"${name}": ${shown(JSON.stringify(value))} in ${shown(this.path)}, line ${line}`;
    const good = `"${name}": ${json === 'string' ? JSON.stringify(example) : example}`;
    if (typeof value === json) this.#take(layer, name, String(value), from, good, dirname(this.path));
    else this.#wrong(TABLE[name], from, good);
  }

  /** @param folder where a path begins */
  #take<Name extends keyof Given>(
    layer: Layer,
    name: Name,
    text: string,
    from: string,
    good: string,
    folder: string,
  ): void {
    const row: SettingRow<Given[Name]> = TABLE[name];
    const value = row.parse(row.isPath ? this.#resolve(text, folder) : text);
    if (value === undefined) this.#wrong(row, from, good);
    else layer[name] = value;
    if (name === 'ca') [this.#caFrom, this.#caGood] = [from, good];
  }

  /** Who asks for the protocol that is spoken anyway has it. */
  #former(value: unknown, from: string): void {
    if (value === undefined || String(value) === '2') return;
    this.problems.push(`${from}: this client speaks version 2 of the protocol and no other: leave it away.`);
  }

  #wrong({ expected }: { readonly expected: string }, from: string, good: string): void {
    this.problems.push(`${from}: it must be ${expected}. For example: ${good}`);
  }

  #resolve(path: string, folder: string): string {
    if (path === '' || path === '~') return path === '' ? '' : homeFolder(this.#environment);
    if (path.startsWith('~/')) return join(homeFolder(this.#environment), path.slice(2));
    return resolve(folder, path);
  }
}

/** Who names an authority means encryption. */
function withTls(layer: Layer): Layer {
  return layer.ca === undefined ? layer : { ...layer, tls: true };
}

function unknownKey(key: string): string {
  const name = shown(JSON.stringify(key));
  if (/^pass(word|wd)?$/i.test(key)) {
    return `a password has no place among the settings (${name}): write it into a file and name that in "passwordFile".`;
  }
  const close = suggest(key.replaceAll(/[-_]/g, ''), SETTING_NAMES);
  const hint =
    close === null ? `There are: ${SETTING_NAMES.join(', ')}.` : `Is ${JSON.stringify(close)} meant?`;
  return `there is no setting ${name}. ${hint}`;
}

function variableOf(environment: Environment, name: string): string | undefined {
  return environment[name]?.trim() || undefined;
}

/**
 * An absolute path, whatever `HOME` says: a relative one would find the settings of others, with commands to run, in whatever
 * folder one stands. `/` where there is none, as in a container for a user that the system does not know.
 */
export function homeFolder({ HOME = '' }: Environment): string {
  if (isAbsolute(HOME)) return HOME;
  try {
    return userInfo().homedir || '/';
  } catch {
    return '/';
  }
}

/** A base folder of the XDG specification, which takes absolute paths only. */
export function baseFolder(environment: Environment, variable: string, fallback: string): string {
  const named = variableOf(environment, variable);
  return named !== undefined && isAbsolute(named) ? named : join(homeFolder(environment), fallback);
}
