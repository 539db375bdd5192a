import { ProtocolError } from '../protocol/errors.ts';
import { v2 } from '../protocol/v2/codec.ts';
import { ClientError } from './errors.ts';
import { type ClientOptions, DEFAULT_OPTIONS } from './events.ts';

type TimeName = Exclude<keyof typeof DEFAULT_OPTIONS, 'program'>;

/** Times in milliseconds, and how often is tried; what is absent or undefined is as in `DEFAULT_OPTIONS`. */
export type Times = { readonly [Name in TimeName]?: ClientOptions[Name] | undefined };

/** No timer of Node waits longer: it would end at once. */
const MAX_TIME_MS = 2 ** 31 - 1;
const DELIVERIES: readonly unknown[] = ['all', 'live', 'none', undefined];

/** What may be wrong with options that the compiler has not seen, or that it cannot see. */
export interface Unchecked {
  readonly program: unknown;
  readonly deliver?: unknown;
  readonly loginTimeoutMs?: unknown;
  readonly login?: { readonly token: unknown } | null | undefined;
  readonly password?: unknown;
}

/** @throws ClientError `INVALID` for what cannot be used */
export function checkOptions({ program, deliver, loginTimeoutMs, login, password }: Unchecked): void {
  checkProgram(program);
  if (!DELIVERIES.includes(deliver)) throw invalid('deliver', 'all, live or none');
  if (loginTimeoutMs !== undefined && !isTime(loginTimeoutMs)) throw invalid('loginTimeoutMs', TIME);
  const token = login?.token ?? null;
  if (token !== null && !(token instanceof Uint8Array)) throw invalid('login.token', 'bytes or null');
  const isSecret = ['string', 'function', 'undefined'].includes(typeof password) || password === null;
  if (!isSecret) throw invalid('password', 'text, or a function that gives it');
}

/** The times that are given, without those that are undefined. @throws ClientError `INVALID` */
export function timesOf(times: Times = {}): Partial<Pick<ClientOptions, TimeName>> {
  const given = Object.entries(times).filter(([, value]) => value !== undefined);
  const defaults = new Map<string, unknown>(Object.entries(DEFAULT_OPTIONS));
  defaults.delete('program');
  for (const [name, value] of given) checkTime(`times.${name}`, value, defaults.get(name));
  return Object.fromEntries(given);
}

const TIME = `milliseconds from 0 to ${MAX_TIME_MS}`;

function isTime(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= MAX_TIME_MS;
}

/** @param model what it is unless it is given */
function checkTime(name: string, value: unknown, model: unknown): void {
  if (model === undefined) throw invalid(name, 'absent: there is no such time');
  if (typeof model === 'number') {
    if (!isTime(value)) throw invalid(name, TIME);
    return;
  }
  const parts = new Map(Object.entries(value ?? {}));
  for (const part of Object.keys(model ?? {})) {
    const found = parts.get(part);
    if (part === 'tries' ? !(typeof found === 'number' && found >= 0) : !isTime(found)) {
      throw invalid(`${name}.${part}`, part === 'tries' ? 'a number from 0 on' : TIME);
    }
  }
}

/** Whether it can be told to a server at all: otherwise every greeting would fail. */
function checkProgram(program: unknown): void {
  try {
    // The codec is what decides it, of anything.
    v2.encodeRequest({ type: 'hello', client: program as string });
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new ClientError('INVALID', `program: ${cause.message}`, { cause });
  }
}

function invalid(name: string, what: string): ClientError {
  return new ClientError('INVALID', `${name} has to be ${what}.`);
}
