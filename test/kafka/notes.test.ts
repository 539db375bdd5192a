/** Notes as records: who may leave them, and what others make of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { InboxNote } from '../../src/core/notes.ts';
import { eventually, message, observe, type TestCluster, uniqueName } from '../contracts/cluster.ts';
import { kafkaCluster, witness } from './cluster.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await kafkaCluster();
});
afterAll(() => cluster.close());

async function person(): Promise<Account> {
  const account = await cluster.here.accounts.create({ name: uniqueName('noted') });
  return cluster.here.accounts.update(account, { devices: [{ name: 'phone', lastLogin: Date.now() }] });
}

/** All records of an inbox, as Kafka's own clients see them. */
async function recordsOf({ name }: Account, count: number) {
  const consumer = witness().consumer({ groupId: uniqueName('reader') });
  const found: { value: string; headers: Record<string, string> }[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: `milena.inbox.${name}`, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message: { value, headers = {} } }) => {
      const texts = Object.entries(headers).map(([key, header]) => [key, String(header)]);
      found.push({ value: value?.toString() ?? '', headers: Object.fromEntries(texts) });
    },
  });
  await eventually(() => expect(found).toHaveLength(count));
  await consumer.disconnect();
  return found;
}

describe('a note', () => {
  it('is a record that is of no account to who does not know of notes', async () => {
    const owner = await person();
    const sent = { ...message(owner, 'to bob'), copyFrom: { device: 'phone' } };
    const bob = await person();
    await cluster.here.inboxes.append(bob, sent);
    await cluster.here.inboxes.note(owner, undefined, { kind: 'read', conversation: 'bob', upTo: 4 });
    const [copy, read] = await recordsOf(owner, 2);
    expect(copy).toMatchObject({ value: 'to bob', headers: { 'milena-to': expect.stringMatching(/^own:/) } });
    expect(JSON.parse(copy?.headers['milena-note'] ?? '')).toEqual([
      ...['sent', 'phone', bob.name],
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    ]);
    expect(read?.headers['milena-note']).toBe('["read","","bob",4]');
  });

  it('of anybody but a frontend, or told once more, is shown to nobody', async () => {
    const owner = await person();
    await cluster.here.inboxes.note(owner, 'phone', { kind: 'read', conversation: 'bob', upTo: 4 });
    const [{ headers } = { headers: {} }] = await recordsOf(owner, 1);
    const other = JSON.stringify(['read', 'phone', 'bob', 5]);
    await cluster.produceRaw?.(owner, { value: '', headers });
    await cluster.produceRaw?.(owner, { key: owner.name, value: '', headers });
    await cluster.produceRaw?.(owner, {
      key: owner.name,
      value: '',
      headers: { ...headers, 'milena-note': other },
    });
    await cluster.produceRaw?.(owner, { value: 'not json', headers: { ...headers, 'milena-note': '[' } });
    const notes: InboxNote[] = [];
    const held = await observe(cluster.here, owner, { deliver: 'all', onNote: (note) => notes.push(note) });
    await cluster.here.inboxes.append(owner, message(owner, 'the end'));
    await eventually(() => expect(held.bodies()).toEqual(['the end']));
    expect(notes.map(({ offset }) => offset)).toEqual([0]);
    // The end: a note is no message.
    expect(await held.inbox.undelivered()).toBe(1);
    await held.inbox.close();
  });
});
