import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isLoopback } from '../../config.ts';
import type { Address, TlsSettings } from '../socket.ts';

/** The server, and how to speak with it. */
export interface ServerChoice {
  readonly address: Address;
  readonly protocol: 1 | 2;
  /** Undefined: plain text. */
  readonly tls: TlsSettings | undefined;
}

export type Options =
  | { readonly type: 'chat'; readonly server: ServerChoice }
  | { readonly type: 'help' | 'version' }
  | { readonly type: 'mistake'; readonly text: string };

export const USAGE = `Usage: milena [--server HOST:PORT] [--tls] [--ca FILE]

Opens a chat on a Milena server. Inside it, /help shows what you can type.

  --server HOST:PORT   the server; default: MILENA_HOST and MILENA_PORT, or 127.0.0.1:8080
  --tls                encrypt the connection; also MILENA_TLS=true
  --ca FILE            trust the authority in FILE (PEM) and no other; also MILENA_TLS_CA. Implies --tls
  --insecure           speak plain text with another machine: who can listen reads passwords and messages
  --protocol 1         the protocol's first version, without passwords and ids
  --help               show this
  --version            show the version
`;

const OPTIONS = {
  server: { type: 'string' },
  tls: { type: 'boolean' },
  ca: { type: 'string' },
  insecure: { type: 'boolean' },
  protocol: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** What was wrong with the command line or the environment, as a sentence. */
class Mistake extends Error {}

/** Reads the command line and the environment. Never throws: a `mistake` has a sentence about what was wrong. */
export function parseOptions(args: readonly string[], environment: Environment): Options {
  try {
    return parse(args, environment);
  } catch (error) {
    if (error instanceof Mistake) return { type: 'mistake', text: error.message };
    throw error;
  }
}

function parse(args: readonly string[], environment: Environment): Options {
  const given = readArguments(args);
  if (given.help) return { type: 'help' };
  if (given.version) return { type: 'version' };
  const protocol = given.protocol ?? '2';
  if (protocol !== '1' && protocol !== '2') throw new Mistake(`--protocol ${protocol} is neither 1 nor 2.`);
  const address = given.server === undefined ? addressFrom(environment) : parseAddress(given.server);
  const tls = tlsFrom(given, environment);
  // Version 1 has no passwords to lose, and its programs never asked.
  if (tls === undefined && protocol === '2' && !given.insecure && !isLoopback(address.host)) {
    throw new Mistake(
      `${address.host} is another machine, and without encryption anybody between here and there can read your ` +
        'password and messages: use --tls, or --insecure if you trust the whole network.',
    );
  }
  return { type: 'chat', server: { address, protocol: protocol === '1' ? 1 : 2, tls } };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const unknown = args.find((arg) => !Object.hasOwn(OPTIONS, arg.replace(/^--|=.*$/g, '')));
    const isUnknown = 'code' in error && error.code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE';
    throw new Mistake(
      isUnknown && unknown !== undefined
        ? `There is no option ${JSON.stringify(unknown)}.`
        : `${error.message}.`,
    );
  }
}

function addressFrom(environment: Environment): Address {
  const host = environment.MILENA_HOST?.trim() || '127.0.0.1';
  const port = environment.MILENA_PORT?.trim() || '8080';
  if (!isPort(port)) throw new Mistake(`MILENA_PORT=${port} is no port, as 8080 would be.`);
  return { host, port: Number(port) };
}

function parseAddress(server: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]]+)):(\d+)$/.exec(server);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3];
  if (host === undefined || port === undefined || !isPort(port)) {
    throw new Mistake(`--server ${JSON.stringify(server)} is not HOST:PORT, as 127.0.0.1:8080 would be.`);
  }
  return { host, port: Number(port) };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

function tlsFrom(given: { tls?: boolean; ca?: string }, environment: Environment): TlsSettings | undefined {
  const file = given.ca ?? (environment.MILENA_TLS_CA?.trim() || undefined);
  if (file !== undefined) return { ca: readAuthority(file) };
  const asked = environment.MILENA_TLS?.trim().toLowerCase() ?? '';
  if (!['', 'true', '1', 'false', '0'].includes(asked)) {
    throw new Mistake(`MILENA_TLS=${asked} is neither true nor false.`);
  }
  return given.tls || asked === 'true' || asked === '1' ? {} : undefined;
}

function readAuthority(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new Mistake(`--ca ${file}: ${why}.`);
  }
  try {
    // Otherwise a wrong file would look like a server that nobody trusts.
    new X509Certificate(text);
  } catch {
    throw new Mistake(`--ca ${file}: it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----).`);
  }
  return text;
}
