import { X509Certificate } from 'node:crypto';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { type Address, isPort, serverText, type TlsSettings } from '../client/index.ts';
import { isLoopback } from '../util/loopback.ts';
import { shown } from '../util/printable.ts';
import { readRegularFile } from '../util/regular-file.ts';
import { suggest } from '../util/suggest.ts';
import { whyNotRead } from '../util/why-not-read.ts';
import type { ClipboardChoice } from './clipboard.ts';
import type { Environment } from './environment.ts';
import type { NotifyCommand } from './notify/command-line.ts';
import type { DesktopChoice } from './notify/desktop.ts';
import type { OpenCommand } from './open-command.ts';
import {
  FORMER,
  type Given,
  type Row,
  SETTING_NAMES,
  type Signs,
  TABLE,
  type Theme,
} from './setting-table.ts';
import { frontendHere } from './started.ts';

/** What a person may choose, as the chat and the commands get it. */
export interface Settings {
  /** At least one: of the same Milena, any of them will do. */
  readonly servers: readonly Address[];
  /** The first of them as people write it, HOST:PORT, and the others: by these names histories are found. */
  readonly server: string;
  readonly others: readonly string[];
  /** The flags by which another start of the client finds them, as a shell takes them; empty for the default. */
  readonly serverFlags: string;
  /** Undefined: plain text. */
  readonly tls: TlsSettings | undefined;
  /** The account to log in to; null: nobody said. */
  readonly user: string | null;
  /** Null also when MILENA_PASSWORD has the password itself, which counts before a file that no flag names. */
  readonly passwordFile: string | null;
  /** A program, with its arguments, that prints the password; null likewise. */
  readonly passwordCommand: readonly string[] | null;
  readonly theme: Theme;
  readonly signs: Signs;
  /** Make links of addresses; null: where the terminal is known to have them. */
  readonly links: boolean | null;
  /** Ring the terminal's bell. */
  readonly bell: boolean;
  /** Take the wheel and clicks from the terminal. */
  readonly mouse: boolean;
  /** Words of the person's own that highlight a message. */
  readonly highlight: readonly string[];
  /** How the terminal is asked to show notifications on the desktop. */
  readonly desktop: DesktopChoice;
  /** Run for each message that rings; null: none. */
  readonly notify: NotifyCommand | null;
  /** Opens an address; null: what the desktop has. */
  readonly open: OpenCommand | null;
  /** Whether texts are copied by the terminal. */
  readonly clipboard: ClipboardChoice;
  /** Lines instead of a screen. */
  readonly plain: boolean;
  /** Whether the login of the chat outlives it. */
  readonly staysLoggedIn: boolean;
  /** Where histories lie; null: nothing is kept on disk. */
  readonly directory: string | null;
  /** The settings file, whether it exists or not. */
  readonly file: string;
}

/** As `parseArgs` gives them: by flag. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** Settings that cannot be used. The message has a line for each: which one, from where, what was wrong, an example. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** People write less into it; and all authorities that a system trusts are a quarter of a megabyte. */
const MAX_BYTES = 256 * 1024;
const MAX_CA_BYTES = 4 * 1024 * 1024;
const DEFAULT_SERVER = '127.0.0.1:8080';

type Layer = { -readonly [Name in keyof Given]?: Given[Name] };

/**
 * Settings from the file, the environment and the command line; the later ones count. An empty variable counts as not
 * set. Paths are relative to the file that has them, else to the current folder; `~/` is the home folder. Without any
 * server it is the frontend that runs here.
 * @throws SettingsError
 */
export function readSettings(flags: Flags, environment: Environment): Settings {
  const reading = new Reading(environment);
  const fromFile = reading.file();
  const fromEnvironment = reading.environment();
  const fromFlags = reading.flags(flags);
  const given: Layer = { ...fromFile, ...fromEnvironment, ...fromFlags };
  const servers = given.server ?? [frontendHere(environment) ?? { host: '127.0.0.1', port: 8080 }];
  const [server = '', ...others] = servers.map(serverText);
  const tls = given.tls ? reading.tls(given.ca) : undefined;
  const elsewhere = servers.map(({ host }) => host).filter((host) => !isLoopback(host));
  if (!given.tls && !given.insecure && elsewhere.length > 0) {
    const what = elsewhere.length === 1 ? 'is another machine' : 'are other machines';
    reading.problems.push(
      `${[...new Set(elsewhere)].join(', ')} ${what}, and without encryption anybody between here and there can read ` +
        'your password and messages: use --tls, or --insecure if you trust the whole network.',
    );
  }
  if (reading.problems.length > 0) throw new SettingsError(reading.problems.join('\n'));
  const dataDir = given.dataDir ?? join(baseFolder(environment, 'XDG_DATA_HOME', '.local/share'), 'milena');
  return {
    servers,
    server,
    others,
    serverFlags: serverFlagsOf(given, [server, ...others]),
    tls,
    user: given.user ?? null,
    ...passwordSource(given, fromFlags, environment),
    theme: given.theme ?? 'auto',
    signs: given.signs ?? 'auto',
    links: given.links ?? null,
    bell: given.bell ?? true,
    mouse: given.mouse ?? true,
    highlight: given.highlight ?? [],
    desktop: given.desktop ?? 'auto',
    notify: given.notify ?? null,
    open: given.open ?? null,
    clipboard: given.clipboard ?? 'ask',
    plain: given.plain ?? false,
    staysLoggedIn: given.stayLoggedIn ?? true,
    directory: given.history === false ? null : dataDir,
    file: reading.path,
  };
}

/** A flag counts before MILENA_PASSWORD, which counts before the file and the other variables. */
function passwordSource(
  given: Layer,
  fromFlags: Layer,
  { MILENA_PASSWORD }: Environment,
): Pick<Settings, 'passwordFile' | 'passwordCommand'> {
  const hasFlag = fromFlags.passwordFile !== undefined || fromFlags.passwordCommand !== undefined;
  const { passwordFile = null, passwordCommand = null } = hasFlag ? fromFlags : MILENA_PASSWORD ? {} : given;
  return { passwordFile, passwordCommand };
}

function serverFlagsOf({ tls, ca, insecure }: Layer, servers: readonly string[]): string {
  const list = servers.join(',');
  const flags = [
    list === DEFAULT_SERVER ? '' : `--server ${inShell(list)}`,
    tls ? (ca === undefined ? '--tls' : `--ca ${inShell(ca)}`) : '',
    insecure ? '--insecure' : '',
  ];
  return flags.filter(Boolean).join(' ');
}

function inShell(text: string): string {
  return /^[\w./:,@~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Reads each source and gathers everything that is wrong. */
class Reading {
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
    const row: Row<Given[Name]> = TABLE[name];
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
    if (path === '' || path === '~') return path === '' ? '' : home(this.#environment);
    if (path.startsWith('~/')) return join(home(this.#environment), path.slice(2));
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

function home(environment: Environment): string {
  return environment.HOME || homedir();
}

/** A base folder of the XDG specification, which takes absolute paths only. */
function baseFolder(environment: Environment, variable: string, fallback: string): string {
  const named = variableOf(environment, variable);
  return named !== undefined && isAbsolute(named) ? named : join(home(environment), fallback);
}
