import type { RecordContent } from '../inbox/record.ts';
import type { Trust } from '../inbox/trust.ts';
import { eachHeader, type RawRecord } from '../wire/log-batch.ts';

/*
  A record of accounts, sessions or control carries one header:
    milena-sig = "r1" ":" time ":" revision ":" key id ":" HMAC-SHA-256, base64url
  over these parts, each as length (u32 big-endian) and bytes:
    "milena-record-1" topic time revision "gone" or "value", with a blank in between; key; value
  time: when it was signed, milliseconds since the epoch, in the brokers' time.
  revision: grows with each change of a key, and stays when the same is written again.
*/

const CONTEXT = 'milena-record-1';
const HEADER = Buffer.from('milena-sig');
const FORM = /^r1:(\d{1,15}):(\d{1,15}):([\w-]{1,32}):([\w-]{43})$/;
const NONE = Buffer.alloc(0);

/** What a record says of itself, and how far it can be believed. */
export interface Judgement {
  /**
   * `genuine`: a frontend wrote it, at that place in the log. `old key`: likewise, with a key that does not sign any more.
   * `unproven`: nobody can tell. `forged`: no frontend wrote it.
   */
  readonly proof: 'genuine' | 'old key' | 'unproven' | 'forged';
  /** Null without a signature that could be checked. */
  readonly revision: number | null;
}

const UNPROVEN: Judgement = { proof: 'unproven', revision: null };
const FORGED: Judgement = { proof: 'forged', revision: null };

/**
 * The record of a key's value, signed.
 * @param value null: the key is gone
 */
export function signRecord(
  { signer, clock }: Trust,
  topic: string,
  key: string,
  value: Buffer | null,
  revision: number,
): RecordContent {
  const time = String(clock.now());
  const order = String(revision);
  const mac = signer.signParts(parts(topic, key, time, order, value));
  return { key, value, headers: [HEADER, `r1:${time}:${order}:${mac}`] };
}

/** Judges a record that anybody may have written. */
export function judgeRecord(trust: Trust, topic: string, raw: RawRecord): Judgement {
  const header = headerOf(raw.headers);
  if (header === null || raw.key === null) return UNPROVEN;
  const found = FORM.exec(header);
  if (found === null) return FORGED;
  const [, time = '', revision = '', keyId = '', mac = ''] = found;
  const proof = trust.signer.checkParts(keyId, mac, parts(topic, raw.key, time, revision, raw.value));
  if (proof === 'unknown key') return UNPROVEN;
  if (proof === 'forged') return FORGED;
  const order = Number(revision);
  // A copy of an older record, or of another log: it can only be shown not to be newer than what is known.
  if (!trust.isFresh(raw, Number(time))) return { proof: 'unproven', revision: order };
  return { proof: proof === 'genuine' ? 'genuine' : 'old key', revision: order };
}

function parts(
  topic: string,
  key: string | Buffer,
  time: string,
  revision: string,
  value: Buffer | null,
): (string | Buffer)[] {
  const what = value === null ? 'gone' : 'value';
  return [`${CONTEXT} ${topic} ${time} ${revision} ${what}`, key, value ?? NONE];
}

/** Of a repeated name the first counts. */
function headerOf(headers: Buffer): string | null {
  let found: string | null = null;
  eachHeader(headers, (nameAt, nameEnd, valueAt, valueEnd) => {
    if (found !== null || nameEnd - nameAt !== HEADER.length) return;
    if (headers.compare(HEADER, 0, HEADER.length, nameAt, nameEnd) !== 0) return;
    found = headers.toString('utf8', valueAt, valueEnd);
  });
  return found;
}
