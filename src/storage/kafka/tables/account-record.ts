import { z } from 'zod';
import type { Account } from '../../../core/accounts.ts';
import type { Device } from '../../../core/devices.ts';
import { demandUuid, uuidKey, uuidOfKey, uuidText } from '../../../util/uuid.ts';

/*
  A record of the compacted topic of accounts:
    key    the username
    value  JSON, or null: the account is deleted
  Unknown fields are kept out, so that later versions may add some.
*/

/** Longest name of an account, in characters. */
export const MAX_NAME = 32;

const NAME = new RegExp(`^[a-z0-9][a-z0-9_-]{0,${MAX_NAME - 1}}$`);

const DEVICE = /^[a-z0-9][a-z0-9_-]{0,31}$/;
/** More than we let anybody have: somebody may have changed that. */
const MOST_DEVICES = 64;

const id = z.uuid().transform(demandUuid);
/** Case does not matter in a UUID (RFC 9562): small letters, as Kafka writes them. */
const topicId = z.uuid().transform((text) => text.toLowerCase());

const schema = z.object({
  incarnation: id,
  topicId,
  inboxLife: id.optional(),
  displayName: z.string().max(200).nullable(),
  credential: z.string().max(500).nullable(),
  disabled: z.boolean(),
  blocked: z.array(z.string().max(64)).max(1_000).default([]),
  createdAt: z.number().int().nonnegative(),
  invite: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  devices: z
    .array(z.object({ name: z.string().regex(DEVICE), lastLogin: z.number().int().nonnegative() }))
    .max(MOST_DEVICES)
    .optional(),
});

export function encodeAccount(account: Account): Buffer {
  const { name: _key, incarnation, topicId, inboxLife, ...rest } = account;
  const life = inboxLife && uuidText(inboxLife);
  return Buffer.from(
    JSON.stringify({ incarnation: uuidText(incarnation), topicId, inboxLife: life, ...rest }),
  );
}

/** @returns null for anything that is not an account: who may write to the topic may write nonsense */
export function decodeAccount(name: string, value: Buffer): Account | null {
  if (!NAME.test(name)) return null;
  let json: unknown;
  try {
    json = JSON.parse(value.toString('utf8'));
  } catch {
    return null;
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? { name, ...parsed.data } : null;
}

/** An account as it lies in memory: two ids of 16 bytes, then the rest as JSON in UTF-8, one character for each byte. */
const TOPIC_ID = 16;
const IDS = 32;

type Rest = [
  createdAt: number,
  disabled: boolean,
  displayName: string | null,
  credential: string | null,
  blocked: readonly string[],
  inboxLife?: string | null,
  devices?: readonly Device[] | null,
  /** The last one, if there is any: `inviteOf` looks for it there. */
  invite?: string,
];

/** In groups, without the hyphens. */
const UUID = '([0-9a-f]{8})-([0-9a-f]{4})-([1-8][0-9a-f]{3})-([89ab][0-9a-f]{3})-([0-9a-f]{12})';
/** As `encodeAccount` writes it where nobody is blocked and nothing has to be escaped, its UTF-8 read byte by byte. */
const PLAIN = new RegExp(
  `^\\{"incarnation":"${UUID}","topicId":"${UUID}","displayName":(null|"${text(200)}"),` +
    `"credential":(null|"${text(500)}"),"disabled":(true|false),"blocked":\\[\\],"createdAt":(0|[1-9][0-9]{0,14})\\}$`,
);

function text(mostBytes: number): string {
  return `[ !#-\\[\\]-~\\x80-\\xff]{0,${mostBytes}}`;
}

/** Room for a plain account: what it becomes is read out of here, so that it keeps nothing of its record alive. */
const room = Buffer.alloc(1_024);

/**
 * Nearly every record is a plain one: to take it to pieces by its form is four times as quick as to read it as JSON and look
 * at each field, and a frontend that starts has a million before it.
 * @returns null for anything that is not an account
 */
export function packAccount(name: string, value: Buffer): string | null {
  const plain = PLAIN.exec(value.toString('latin1'));
  if (plain === null || !NAME.test(name)) return packAnyAccount(name, value);
  const [, a, b, c, d, e, f, g, h, i, j, displayName, credential, disabled, createdAt] = plain;
  room.write(`${a}${b}${c}${d}${e}${f}${g}${h}${i}${j}`, 'hex');
  const end = IDS + room.write(`[${createdAt},${disabled},${displayName},${credential},[]]`, IDS, 'latin1');
  return room.toString('latin1', 0, end);
}

function packAnyAccount(name: string, value: Buffer): string | null {
  const account = decodeAccount(name, value);
  if (account === null) return null;
  const { incarnation, topicId, createdAt, disabled, displayName, credential, blocked } = account;
  const { inboxLife, devices, invite } = account;
  const rest: Rest = [createdAt, disabled, displayName, credential, blocked];
  if (inboxLife !== undefined || devices !== undefined || invite !== undefined)
    rest.push(inboxLife ? uuidText(inboxLife) : null, devices ?? null);
  if (invite !== undefined) rest.push(invite);
  const text = Buffer.from(JSON.stringify(rest)).toString('latin1');
  return uuidKey(incarnation) + uuidKey(demandUuid(topicId)) + text;
}

/** Reads what `packAccount` made. */
export function unpackAccount(name: string, packed: string): Account {
  const [createdAt, disabled, displayName, credential, blocked, inboxLife, devices, invite]: Rest =
    JSON.parse(Buffer.from(packed, 'latin1').toString('utf8', IDS));
  const incarnation = uuidOfKey(packed);
  const topicId = uuidText(uuidOfKey(packed, TOPIC_ID));
  const account = { name, incarnation, topicId, displayName, credential, disabled, blocked, createdAt };
  if (inboxLife === undefined) return account;
  return {
    ...account,
    ...(inboxLife !== null && { inboxLife: demandUuid(inboxLife) }),
    ...(devices != null && { devices }),
    ...(invite !== undefined && { invite }),
  };
}

/** The invite of an account that `packAccount` made small, read off its end; null if there is none. */
export function inviteOf(packed: string): string | null {
  return /,"([0-9a-f]{16})"\]$/.exec(packed.slice(-20))?.[1] ?? null;
}
