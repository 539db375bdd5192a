import { afterEach, beforeEach, expect, onTestFinished, vi } from 'vitest';
import { Client } from '../../src/client/client.ts';
import { ClientError } from '../../src/client/errors.ts';
import { type ClientEvent, type ClientOptions, DEFAULT_OPTIONS } from '../../src/client/events.ts';
import type { ProtocolErrorCode } from '../../src/protocol/errors.ts';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import { agreeable, type Behaviour, TestServer } from './test-server.ts';

/* A client and a server for each test of the file that calls `clientForEachTest`. */

export let server: TestServer;
export let client: Client;
export let events: ClientEvent[];
/** What the client showed, acknowledged at once. */
export let shown: string[];

export const QUICK: Partial<ClientOptions> = {
  requestTimeoutMs: 5_000,
  reconnect: { firstMs: 20, maxMs: 100 },
  relogin: { firstMs: 20, maxMs: 40, tries: 3 },
  fates: { firstMs: 10, maxMs: 40 },
  held: { firstMs: 10, maxMs: 20 },
};

export async function connect(options: Partial<ClientOptions> = {}): Promise<void> {
  makeClient(options);
  client.start();
  await until(() => client.state.link.kind === 'online');
}

export async function connectAs(name: string, options: Partial<ClientOptions> = {}): Promise<void> {
  await connect(options);
  await client.login(name, 'secret');
}

export async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 5 });
}

/**
 * Until the test ends, time passes by turns of the event loop: 5 ms at the most for each, however long that took. A process
 * that has to wait for its machine times nothing out that was answered in between.
 */
export function timeByTurns(): void {
  vi.useFakeTimers({
    toFake: ['performance', 'setTimeout', 'clearTimeout'],
    shouldAdvanceTime: true,
    advanceTimeDelta: 5,
  });
  onTestFinished(() => void vi.useRealTimers());
}

export function told<Type extends ClientEvent['type']>(type: Type): Extract<ClientEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<ClientEvent, { type: Type }> => event.type === type);
}

/** The states that a message went through, the one at its entry not counted. */
export function statesOf(id: string): string[] {
  return told('outgoing')
    .filter(({ entry }) => entry.id === id)
    .map(({ entry }) => entry.state.kind);
}

export async function failure(promise: Promise<unknown>): Promise<ClientError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof ClientError)) throw new Error(`no ClientError but ${String(outcome)}`);
  return outcome;
}

export function fail(
  code: ProtocolErrorCode,
  more: { retryAfterMs?: number; undelivered?: number; stored?: boolean } = {},
): ServerFrame {
  return { type: 'failure', code, message: `that was ${code}`, ...more };
}

/** Answers one kind of request in a way of its own. */
export function unless(type: string, answer: Behaviour): Behaviour {
  return (request, peer) => (request.type === type ? answer(request, peer) : agreeable(request, peer));
}

/** Another server on the same port, after the first one was closed. */
export async function restart(): Promise<void> {
  server = await TestServer.listen(server.port);
}

/** A client that shows each message and says so, or what `onEvent` does; not started. */
export function makeClient(
  options: Partial<ClientOptions> = {},
  onEvent: (event: ClientEvent) => void = show,
): void {
  const servers = [{ host: '127.0.0.1', port: server.port }];
  client = new Client({ ...DEFAULT_OPTIONS, ...QUICK, servers, ...options }, (event) => {
    events.push(event);
    onEvent(event);
  });
}

function show(event: ClientEvent): void {
  if (event.type !== 'message') return;
  shown.push(event.message.body);
  client.shown(event.inbox, event.message);
}

export function clientForEachTest(): void {
  beforeEach(async () => {
    server = await TestServer.listen();
    events = [];
    shown = [];
  });

  afterEach(async () => {
    await client.close();
    await server.close();
  });
}
