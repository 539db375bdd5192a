import { randomBytes } from 'node:crypto';
import { vi } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import {
  type Accepted,
  type Fate,
  type Inbox,
  type InboxMessage,
  type LossReason,
  type OpenOptions,
  type OutgoingMessage,
  PLAIN_TEXT,
} from '../../src/core/inboxes.ts';
import type { Storage } from '../../src/core/storage.ts';
import { newUuid } from '../../src/util/uuid.ts';

/** A storage, as far as a contract needs it. */
export type TestEngine = Pick<Storage, 'accounts' | 'inboxes' | 'rooms' | 'tokens'>;

/** A record as any other producer may write it. */
export interface RawRecord {
  readonly key?: string | null;
  readonly value: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Two storages, as two servers have them, over the same accounts and messages. */
export interface TestCluster {
  readonly here: Storage;
  readonly elsewhere: Storage;
  /** Writes a record into an inbox as a producer that is none of ours. */
  produceRaw?(account: Account, record: RawRecord): Promise<void>;
  close(): Promise<void>;
}

export type MakeCluster = () => Promise<TestCluster>;

/** How long a condition may take to come true: generous, since only a failing test waits that long. */
export const PATIENCE_MS = 80_000;

/** Resolves once `check` no longer throws. */
export async function eventually(check: () => unknown): Promise<void> {
  await vi.waitFor(check, { timeout: PATIENCE_MS, interval: 20 });
}

let counter = 0;
const run = randomBytes(4).toString('hex');

/** A username that no other test and no other run on the same cluster has. */
export function uniqueName(stem: string): string {
  counter += 1;
  return `${stem}-${run}-${counter}`;
}

/** A text from `from`, with an id of its own. */
export function message(from: Account, text: string): OutgoingMessage {
  return { id: newUuid(), from, body: Buffer.from(text), contentType: PLAIN_TEXT };
}

/** What was written. */
export function textOf({ body }: Pick<InboxMessage, 'body'>): string {
  return Buffer.from(body).toString();
}

/** An inbox that writes down everything it was told. */
export interface ObservedInbox {
  readonly inbox: Inbox;
  readonly pushed: InboxMessage[];
  readonly lost: LossReason[];
  /** Bodies that were pushed, in their order. */
  bodies(): string[];
}

/** Opens an inbox and records its events; `onMessage` runs after the recording. */
export async function observe(
  engine: TestEngine,
  owner: Account,
  options: {
    deliver?: OpenOptions['deliver'];
    takeover?: boolean;
    device?: string;
    last?: number;
    isPaused?: boolean;
    onMessage?: (message: InboxMessage) => void;
    onNote?: OpenOptions['onNote'];
  } = {},
): Promise<ObservedInbox> {
  const { deliver = 'live', takeover = false, device, last, isPaused, onMessage, onNote } = options;
  const pushed: InboxMessage[] = [];
  const lost: LossReason[] = [];
  const inbox = await engine.inboxes.open(owner, {
    deliver,
    takeover,
    device,
    last,
    isPaused,
    onNote,
    onMessage: (arrived) => {
      pushed.push(arrived);
      onMessage?.(arrived);
    },
    onLost: (reason) => lost.push(reason),
  });
  return { inbox, pushed, lost, bodies: () => pushed.map(textOf) };
}

/** `prefix 0`, `prefix 1`, … */
export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix} ${i}`);
}

/** Appends bodies one after the other without waiting between them; returns their offsets. */
export async function appendAll(
  engine: TestEngine,
  to: Account,
  from: Account,
  bodies: readonly string[],
): Promise<number[]> {
  const accepted = await Promise.all(bodies.map((body) => engine.inboxes.append(to, message(from, body))));
  return accepted.map(({ offset }) => offset);
}

/** Appends bodies one after the other, each once the one before it is stored: each is a batch of its own. */
export async function appendInTurn(
  engine: Pick<TestEngine, 'inboxes'>,
  to: Account,
  from: Account,
  bodies: readonly string[],
): Promise<Accepted[]> {
  const sent: Accepted[] = [];
  for (const body of bodies) sent.push(await engine.inboxes.append(to, message(from, body)));
  return sent;
}

/** What became of messages to somebody. */
export function fatesOf(
  engine: Pick<TestEngine, 'inboxes'>,
  to: Account,
  sent: readonly Accepted[],
  inLog = true,
): Promise<Fate[]> {
  const receipts = sent.map((accepted) => ({ to, ...accepted }));
  return engine.inboxes.fates(receipts, { inLog });
}
