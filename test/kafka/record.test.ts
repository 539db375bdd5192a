import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { PLAIN_TEXT } from '../../src/core/inboxes.ts';
import { type DecodedRecord, decodeRecord, encodeRecord } from '../../src/storage/kafka/inbox/record.ts';
import { Signer } from '../../src/storage/kafka/inbox/signature.ts';
import { Trust } from '../../src/storage/kafka/inbox/trust.ts';
import { BrokerClock } from '../../src/storage/kafka/wire/broker-clock.ts';
import { readRecords } from '../../src/storage/kafka/wire/fetched-records.ts';
import { encodeBatch, encodeContent } from '../../src/storage/kafka/wire/record-batch.ts';
import { demandUuid, uuidText } from '../../src/util/uuid.ts';
import { idOf } from '../ids.ts';

const signer = new Signer([{ id: 'k', secret: Buffer.alloc(32, 1) }]);
/** Batches made here say no append time, so nobody could tell when they were signed. */
const trust = () => new Trust(signer, new BrokerClock(), true, 0);

function account(name: string): Account {
  const rest = { displayName: null, credential: null, disabled: false, blocked: [], createdAt: 0 };
  return { name, incarnation: idOf(name), topicId: uuidText(idOf(`topic of ${name}`)), ...rest };
}

const [anna, bob] = [account('anna'), account('bob')];

/** What bob is given of a record of this content. */
function decode(key: string | null, value: Buffer, headers: readonly string[]): DecodedRecord {
  const batch = encodeBatch([encodeContent({ key, value, headers })], { id: 1n, epoch: 0 }, 0, 0);
  const [raw] = readRecords(batch, 0).records;
  if (raw === undefined) throw new Error('there is one');
  return decodeRecord(trust(), bob, raw);
}

const CE_ID = 'ABCDEF01-2345-6789-abcd-ef0123456789';

describe('a record in an inbox', () => {
  it('has its ids as text, and is a message of bytes', () => {
    const message = { id: idOf('m'), from: anna, body: Buffer.of(0xff, 0), contentType: 'image/x-odd' };
    const { headers } = encodeRecord(signer, bob, message, new Date());
    const texts = headers.map(String);
    for (const id of [message.id, anna.incarnation, bob.incarnation]) expect(texts).toContain(uuidText(id));
    expect(decode('anna', message.body, texts)).toEqual({
      kind: 'message',
      message: {
        ...{ offset: 0, acceptedAt: 0, id: new Uint8Array(message.id), body: message.body },
        ...{ contentType: 'image/x-odd' },
        from: { kind: 'user', name: 'anna', incarnation: new Uint8Array(anna.incarnation) },
      },
    });
  });

  it.each([
    ['none', [], null],
    ['one in capitals', ['ce_id', CE_ID], demandUuid(CE_ID)],
    ['another kind of id', ['ce_id', 'A234-1234-1234'], null],
    ['an empty one', ['ce_id', ''], null],
  ])('of another producer with %s', (_, headers, id) => {
    expect(decode('ci', Buffer.from('x'), headers)).toMatchObject({ message: { id, from: { name: 'ci' } } });
  });

  it('is for this life of its owner only where its header says so letter by letter', () => {
    const text = uuidText(bob.incarnation);
    expect(decode(null, Buffer.from('x'), ['milena-to', text]).kind).toBe('message');
    for (const other of [text.toUpperCase(), '', uuidText(anna.incarnation)])
      expect(decode(null, Buffer.from('x'), ['milena-to', other])).toMatchObject({ kind: 'skip' });
  });

  it('is no user’s whose incarnation is no id, though it is signed', () => {
    const time = new Date().toISOString();
    const id = uuidText(idOf('m'));
    const body = Buffer.from('x');
    const ids = { fromIncarnation: 'life of anna', toIncarnation: uuidText(bob.incarnation), id };
    const signature = signer.sign({ from: 'anna', ...ids, time, contentType: PLAIN_TEXT, body });
    // biome-ignore format: a header a line
    const headers = [
      'ce_id', id, 'ce_time', time, 'content-type', PLAIN_TEXT,
      'milena-from', ids.fromIncarnation, 'milena-to', ids.toIncarnation, 'milena-sig', signature,
    ];
    expect(decode('anna', body, headers)).toMatchObject({ message: { from: { kind: 'external' } } });
  });
});
