/*
 * $argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>      salt and hash in base64 without padding
 *
 * The string format of the Password Hashing Competition: a hash says itself how it was made.
 */

/** How much work a hash costs. */
export interface Cost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

export interface PasswordHash extends Cost {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/;
/** A record that asks for more would stop a frontend: nobody of us has written it. */
const MOST: Cost = { memoryKiB: 1024 * 1024, passes: 64, lanes: 16 };

export function formatPhc({ memoryKiB, passes, lanes, salt, hash }: PasswordHash): string {
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${bare(salt)}$${bare(hash)}`;
}

/** Null for what is no argon2id hash, or one that would cost too much. */
export function parsePhc(text: string): PasswordHash | null {
  const [, memory, passes, lanes, salt, hash] = PHC.exec(text) ?? [];
  if (salt === undefined || hash === undefined) return null;
  const parsed = {
    memoryKiB: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
  const possible = parsed.lanes >= 1 && parsed.passes >= 1 && parsed.memoryKiB >= 8 * parsed.lanes;
  const bearable =
    parsed.memoryKiB <= MOST.memoryKiB && parsed.passes <= MOST.passes && parsed.lanes <= MOST.lanes;
  return possible && bearable ? parsed : null;
}

function bare(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
