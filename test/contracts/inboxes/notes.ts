import { describe, expect, it } from 'vitest';
import type { Account } from '../../../src/core/accounts.ts';
import type { InboxNote, Note } from '../../../src/core/notes.ts';
import { newUuid } from '../../../src/util/uuid.ts';
import {
  eventually,
  message,
  type ObservedInbox,
  observe,
  type TestCluster,
  type TestEngine,
  textOf,
  uniqueName,
} from '../cluster.ts';

/** Notes between the devices of one account: what was sent, and what was read. */
export function notesContract(cluster: () => TestCluster): void {
  async function person(stem: string, ...devices: string[]): Promise<Account> {
    const { accounts } = cluster().here;
    const account = await accounts.create({ name: uniqueName(stem) });
    if (devices.length === 0) return account;
    return accounts.update(account, { devices: devices.map((name) => ({ name, lastLogin: Date.now() })) });
  }
  /** Messages as their texts, notes as what they say; in the order of their coming. */
  async function listen(engine: TestEngine, owner: Account, device?: string) {
    const heard: unknown[] = [];
    const notes: InboxNote[] = [];
    const held: ObservedInbox = await observe(engine, owner, {
      deliver: 'all',
      ...(device !== undefined && { device }),
      onMessage: (arrived) => heard.push(textOf(arrived)),
      onNote: (note) => {
        notes.push(note);
        heard.push(note.note.kind === 'read' ? note.note.upTo : `sent ${textOf(note.note)}`);
      },
    });
    return { ...held, heard, notes };
  }
  const read = (upTo: number): Note => ({ kind: 'read', conversation: 'bob', upTo });

  describe('notes', () => {
    it('come to all other devices, in one order with messages', async () => {
      const owner = await person('noting', 'phone', 'desk');
      const { here, elsewhere } = cluster();
      const main = await listen(here, owner);
      const phone = await listen(elsewhere, owner, 'phone');
      const desk = await listen(here, owner, 'desk');
      await here.inboxes.append(owner, message(owner, 'one'));
      await here.inboxes.note(owner, 'phone', read(3));
      await elsewhere.inboxes.append(owner, message(owner, 'two'));
      await elsewhere.inboxes.note(owner, undefined, read(4));
      await here.inboxes.append(owner, message(owner, 'three'));
      await eventually(() => expect(main.heard).toEqual(['one', 3, 'two', 'three']));
      await eventually(() => expect(phone.heard).toEqual(['one', 'two', 4, 'three']));
      await eventually(() => expect(desk.heard).toEqual(['one', 3, 'two', 4, 'three']));
      expect(desk.notes.map(({ device, note }) => [device, note])).toEqual([
        ['phone', read(3)],
        [undefined, read(4)],
      ]);
      // They are acknowledged as messages are, and come again where they are not.
      for (const { offset } of desk.pushed) desk.inbox.acknowledge(offset, offset);
      await desk.inbox.close();
      const again = await listen(elsewhere, owner, 'desk');
      await eventually(() => expect(again.heard).toEqual([3, 4]));
      for (const { offset } of again.notes) again.inbox.acknowledge(offset, offset);
      await again.inbox.close();
      // Once it is committed that each has stepped over its own.
      await eventually(async () => {
        const devices = await here.inboxes.devices(owner);
        expect(devices.map(({ waiting }) => waiting)).toEqual([4, 4, 0]);
      });
      await Promise.all([main.inbox.close(), phone.inbox.close()]);
    });

    it('are stepped over for who does not want them, and for the one that they are from', async () => {
      const owner = await person('deaf', 'phone');
      const { here } = cluster();
      await here.inboxes.note(owner, 'phone', read(1));
      const phone = await listen(here, owner, 'phone');
      const main = await observe(here, owner, { deliver: 'all' });
      await here.inboxes.note(owner, 'phone', read(2));
      await here.inboxes.append(owner, message(owner, 'only this'));
      await eventually(() => expect(main.bodies()).toEqual(['only this']));
      await eventually(() => expect(phone.heard).toEqual(['only this']));
      for (const { offset } of main.pushed) main.inbox.acknowledge(offset, offset);
      await main.inbox.close();
      expect((await here.inboxes.devices(owner)).map(({ waiting }) => waiting)).toEqual([
        0,
        expect.any(Number),
      ]);
      await here.inboxes.note(owner, 'phone', read(3));
      await here.inboxes.append(owner, message(owner, 'retrieved'));
      const live = await observe(here, owner);
      expect((await live.inbox.read({ maxBytes: 1_000 })).map(textOf)).toEqual(['retrieved']);
      await Promise.all([live.inbox.close(), phone.inbox.close()]);
    });

    it('are no undelivered messages, also where nobody has stepped over them', async () => {
      const owner = await person('counted', 'phone');
      const { here } = cluster();
      for (const upTo of [1, 2]) await here.inboxes.note(owner, 'phone', read(upTo));
      await here.inboxes.append(owner, message(owner, 'a message'));
      await here.inboxes.note(owner, 'phone', read(3));
      const main = await observe(here, owner);
      expect(await main.inbox.undelivered()).toBe(1);
      expect((await main.inbox.read({ maxBytes: 1_000 })).map(textOf)).toEqual(['a message']);
      await main.inbox.close();
    });

    it('tell of what was sent with one device, once the recipient has it', async () => {
      const owner = await person('sender', 'phone');
      const bob = await person('bob');
      const { here, elsewhere } = cluster();
      const main = await listen(elsewhere, owner);
      const phone = await listen(here, owner, 'phone');
      const sent = { ...message(owner, 'hi bob'), id: newUuid(), copyFrom: { device: 'phone' } };
      await here.inboxes.append(bob, sent);
      await here.inboxes.append(bob, message(owner, 'of which nobody is told'));
      await eventually(() => expect(main.heard).toEqual(['sent hi bob']));
      const { id, contentType } = sent;
      const [{ device, note } = {}] = main.notes;
      expect(device).toBe('phone');
      expect({ ...note, body: null }).toEqual({
        ...{ kind: 'sent', to: bob.name, id, contentType, body: null },
        toIncarnation: bob.incarnation,
      });
      const inbox = await observe(here, bob, { deliver: 'all' });
      await eventually(() => expect(inbox.bodies()).toEqual(['hi bob', 'of which nobody is told']));
      // What was left for them before this has come by then.
      await here.inboxes.append(owner, message(bob, 'hi back'));
      await eventually(() => expect(main.heard).toEqual(['sent hi bob', 'hi back']));
      await eventually(() => expect(phone.heard).toEqual(['hi back']));
      await Promise.all([main, phone, inbox].map((held) => held.inbox.close()));
    });
  });
}
