import type { Logger } from 'pino';
import { z } from 'zod';
import type { Account } from '../../../core/accounts.ts';
import { deviceKey } from '../../../core/devices.ts';
import type { ResumeTokens, StoredToken } from '../../../core/storage.ts';
import { uuidText } from '../../../util/uuid.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Appender } from '../produce/appender.ts';
import type { Cluster } from '../wire/cluster.ts';
import { unavailable } from '../wire/kafka-error.ts';
import { now } from '../wire/retry.ts';
import { SESSIONS_TOPIC } from '../wire/topics.ts';
import { CompactedTable } from './compacted-table.ts';

/*
  A record of the compacted topic of sessions:
    key    the username, and of a device behind it a dot and the device's name (`deviceKey`)
    value  JSON, or null: logged out
*/

const schema = z.object({
  incarnation: z.uuid(),
  /** SHA-256, base64url. */
  tokenHash: z.string().regex(/^[\w-]{43}$/),
  expiresAt: z.number().int().nonnegative(),
  passwordId: z.string().max(100).optional(),
});

type TokenRecord = z.infer<typeof schema>;

const START_TIMEOUT_MS = 60_000;
const WRITE_TIMEOUT_MS = 5_000;

export interface KafkaResumeTokensOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly appender: Pick<Appender, 'append'>;
  readonly trust: Trust;
  readonly replicationFactor: number;
}

/** The resume tokens, in a compacted topic. */
export class KafkaResumeTokens implements ResumeTokens {
  readonly #options: KafkaResumeTokensOptions;
  readonly #table: CompactedTable<TokenRecord>;

  constructor(options: KafkaResumeTokensOptions) {
    this.#options = options;
    this.#table = new CompactedTable({ ...options, topic: SESSIONS_TOPIC, pack, unpack, encode });
  }

  /** Makes the topic if need be and reads all of it. @throws EngineError `UNAVAILABLE` */
  async start(): Promise<void> {
    await this.#table.open(this.#options.replicationFactor, now() + START_TIMEOUT_MS);
  }

  async close(): Promise<void> {
    await this.#table.close();
  }

  async put(account: Account, token: StoredToken, device?: string): Promise<void> {
    const record: TokenRecord = {
      incarnation: uuidText(account.incarnation),
      tokenHash: token.tokenHash.toString('base64url'),
      expiresAt: token.expiresAt,
      passwordId: token.passwordId,
    };
    // What the holder before this one wrote: a change has to be newer.
    await this.#table.catchUp(now() + WRITE_TIMEOUT_MS).catch(unavailable);
    await this.#write(deviceKey(account, device), record);
  }

  async find(account: Account, device?: string): Promise<StoredToken | undefined> {
    await this.#table.catchUpSoon().catch(unavailable);
    const record = this.#table.get(deviceKey(account, device));
    if (record?.incarnation !== uuidText(account.incarnation)) return undefined;
    if (record.expiresAt <= Date.now()) return undefined;
    const { expiresAt, passwordId } = record;
    const tokenHash = Buffer.from(record.tokenHash, 'base64url');
    return { tokenHash, expiresAt, ...(passwordId !== undefined && { passwordId }) };
  }

  async remove(account: Account, device?: string): Promise<void> {
    const key = deviceKey(account, device);
    await this.#table.catchUpSoon().catch(unavailable);
    // Nothing stored, nothing to forget: people of version 1 leave no trace here. Another life's is not theirs to end.
    if (this.#table.get(key)?.incarnation === uuidText(account.incarnation)) await this.#write(key, null);
  }

  async #write(key: string, value: TokenRecord | null): Promise<void> {
    await this.#options.appender.append(SESSIONS_TOPIC, this.#table.signed(key, value));
  }
}

/** @returns the record without what else may be in it, or null for anything that is none */
function pack(_key: string, value: Buffer): string | null {
  try {
    return JSON.stringify(schema.parse(JSON.parse(value.toString('utf8'))));
  } catch {
    return null;
  }
}

function unpack(_key: string, packed: string): TokenRecord {
  return JSON.parse(packed);
}

function encode(record: TokenRecord): Buffer {
  return Buffer.from(JSON.stringify(record));
}
