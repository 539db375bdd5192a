import { z } from 'zod';
import type { Account } from './accounts.ts';

/*
  A record of the compacted topic of accounts:
    key    the username
    value  JSON, or null: the account is deleted
  Unknown fields are kept out, so that later versions may add some.
*/

const schema = z.object({
  incarnation: z.uuid(),
  topicId: z.uuid(),
  displayName: z.string().max(200).nullable(),
  credential: z.string().max(500).nullable(),
  disabled: z.boolean(),
  blocked: z.array(z.string().max(64)).max(1_000).default([]),
  createdAt: z.number().int().nonnegative(),
});

export function encodeAccount(account: Account): Buffer {
  const { name: _key, ...value } = account;
  return Buffer.from(JSON.stringify(value));
}

/** @returns null for anything that is not an account: who may write to the topic may write nonsense */
export function decodeAccount(name: string, value: Buffer): Account | null {
  let json: unknown;
  try {
    json = JSON.parse(value.toString('utf8'));
  } catch {
    return null;
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? { name, ...parsed.data } : null;
}
