import { describe, expect, it } from 'vitest';
import type { Account } from '../../../src/core/accounts.ts';
import {
  appendAll,
  appendInTurn,
  eventually,
  fatesOf,
  message,
  numbered,
  type ObservedInbox,
  observe,
  type TestCluster,
  type TestEngine,
  uniqueName,
} from '../cluster.ts';

/** Several devices of one account: each has the inbox for itself, and what one has is delivered. */
export function devicesContract(cluster: () => TestCluster): void {
  /** Somebody with these devices beside the main one. */
  async function person(...devices: string[]): Promise<Account> {
    const { accounts } = cluster().here;
    const account = await accounts.create({ name: uniqueName('several') });
    return devices.length > 0 ? withDevices(account, ...devices) : account;
  }
  const withDevices = (account: Account, ...devices: string[]): Promise<Account> =>
    cluster().here.accounts.update(account, ({ devices: present = [] }) => ({
      devices: [...present, ...devices.map((name) => ({ name, lastLogin: Date.now() }))],
    }));
  const engines = (): TestEngine[] => [cluster().here, cluster().elsewhere];
  /** Acknowledges all that was pushed, and gives it back. */
  async function leave({ inbox, pushed }: ObservedInbox, count = pushed.length): Promise<void> {
    for (const { offset } of pushed.slice(0, count)) inbox.acknowledge(offset, offset);
    await inbox.close();
  }

  describe('devices', () => {
    it('each get everything once and in order, here and elsewhere', async () => {
      const owner = await person('phone', 'desk');
      const { here, elsewhere } = cluster();
      const inboxes = await Promise.all([
        observe(here, owner, { deliver: 'all' }),
        observe(here, owner, { deliver: 'all', device: 'phone' }),
        observe(elsewhere, owner, { deliver: 'all', device: 'desk' }),
      ]);
      expect(inboxes.map(({ inbox }) => inbox.device)).toEqual([undefined, 'phone', 'desk']);
      const texts = numbered('to all', 30);
      await appendAll(here, owner, owner, texts.slice(0, 15));
      await appendInTurn(elsewhere, owner, owner, texts.slice(15));
      for (const each of inboxes) await eventually(() => expect(each.bodies()).toEqual(texts));
      // One that is slow, or has stopped, is in nobody's way.
      inboxes[1].inbox.pause();
      await appendAll(here, owner, owner, ['more']);
      for (const each of [inboxes[0], inboxes[2]])
        await eventually(() => expect(each.bodies().at(-1)).toBe('more'));
      expect(inboxes[1].bodies()).toEqual(texts);
      inboxes[1].inbox.resume();
      await eventually(() => expect(inboxes[1].bodies()).toEqual([...texts, 'more']));
      await Promise.all(inboxes.map((each) => leave(each)));
    });

    it('are held each for itself', async () => {
      const owner = await person('phone');
      const [here, elsewhere] = engines();
      if (here === undefined || elsewhere === undefined) throw new Error('there are two');
      const main = await observe(here, owner);
      const phone = await observe(elsewhere, owner, { device: 'phone' });
      for (const engine of engines()) {
        const again = observe(engine, owner, { device: 'phone' });
        await expect(again).rejects.toMatchObject({ code: 'ALREADY_LOGGED_IN' });
        expect(await engine.inboxes.held([owner])).toEqual([true]);
      }
      const taken = await observe(here, owner, { device: 'phone', takeover: true });
      await eventually(() => expect(phone.lost).toEqual(['fenced']));
      expect([main.lost, taken.lost]).toEqual([[], []]);
      await main.inbox.close();
      for (const engine of engines()) expect(await engine.inboxes.held([owner])).toEqual([true]);
      await taken.inbox.close();
      for (const engine of engines()) expect(await engine.inboxes.held([owner])).toEqual([false]);
    });

    it('go on each where it was', async () => {
      const owner = await person('phone');
      const { here, elsewhere } = cluster();
      const main = await observe(here, owner, { deliver: 'all' });
      const phone = await observe(here, owner, { deliver: 'all', device: 'phone' });
      await appendAll(here, owner, owner, numbered('n', 4));
      await eventually(() => expect(main.pushed).toHaveLength(4));
      await eventually(() => expect(phone.pushed).toHaveLength(4));
      await leave(main);
      await leave(phone, 1);
      const back = await observe(elsewhere, owner, { deliver: 'all', device: 'phone' });
      await eventually(() => expect(back.bodies()).toEqual(['n 1', 'n 2', 'n 3']));
      const mainBack = await observe(elsewhere, owner, { deliver: 'all' });
      await appendAll(here, owner, owner, ['last']);
      await eventually(() => expect(back.bodies().at(-1)).toBe('last'));
      await eventually(() => expect(mainBack.bodies()).toEqual(['last']));
      await Promise.all([leave(back), leave(mainBack)]);
    });

    it('make a message delivered once one of them has it', async () => {
      const owner = await person('phone');
      const { here, elsewhere } = cluster();
      const main = await observe(here, owner, { deliver: 'all' });
      const phone = await observe(elsewhere, owner, { deliver: 'all', device: 'phone' });
      const sent = await appendInTurn(here, owner, owner, numbered('n', 3));
      await eventually(() => expect(phone.pushed).toHaveLength(3));
      expect(await main.inbox.undelivered()).toBe(3);
      expect(await fatesOf(here, owner, sent)).toEqual(['waiting', 'waiting', 'waiting']);
      await leave(phone, 2);
      expect(await main.inbox.undelivered()).toBe(1);
      expect(await fatesOf(elsewhere, owner, sent)).toEqual(['delivered', 'delivered', 'waiting']);
      expect(await here.inboxes.devices(owner)).toEqual([
        { name: undefined, isHeld: true, waiting: 3 },
        { name: 'phone', isHeld: false, waiting: 1 },
      ]);
      await eventually(() => expect(main.pushed).toHaveLength(3));
      await leave(main);
      expect(await fatesOf(here, owner, sent)).toEqual(['delivered', 'delivered', 'delivered']);
    });

    it('that come begin with what no device has, and with the newest where that is wanted', async () => {
      const owner = await person('desk');
      const { here } = cluster();
      // This one has nothing of it, so that all of it is there still.
      await (await observe(here, owner, { device: 'desk' })).inbox.close();
      const main = await observe(here, owner, { deliver: 'all' });
      await appendInTurn(here, owner, owner, numbered('n', 5));
      await eventually(() => expect(main.pushed).toHaveLength(5));
      await leave(main, 4);
      const more = await withDevices(owner, 'phone', 'tablet');
      const phone = await observe(here, more, { deliver: 'all', device: 'phone' });
      await eventually(() => expect(phone.bodies()).toEqual(['n 4']));
      const tablet = await observe(here, more, { deliver: 'all', device: 'tablet', last: 3 });
      await eventually(() => expect(tablet.bodies()).toEqual(['n 2', 'n 3', 'n 4']));
      const desk = await observe(here, more, { deliver: 'all', device: 'desk', last: 1 });
      await eventually(() => expect(desk.bodies()).toEqual(numbered('n', 5)));
      await Promise.all([phone, tablet, desk].map((each) => leave(each)));
    });

    it('that are forgotten lose what they held, and begin anew', async () => {
      const owner = await person('phone', 'desk');
      const { here, elsewhere } = cluster();
      const phone = await observe(elsewhere, owner, { deliver: 'all', device: 'phone' });
      const main = await observe(here, owner, { deliver: 'all' });
      await appendAll(here, owner, owner, ['known to the main one']);
      await eventually(() => expect(main.pushed).toHaveLength(1));
      const without = await here.accounts.update(owner, { devices: [{ name: 'desk', lastLogin: 0 }] });
      for (const { inboxes } of [here, elsewhere]) {
        const forgetting = inboxes.forget(without, 'phone', { takeover: false });
        await expect(forgetting).rejects.toMatchObject({ code: 'ALREADY_LOGGED_IN' });
      }
      await phone.inbox.confirm();
      await here.inboxes.forget(without, 'phone', { takeover: true });
      await eventually(() => expect(phone.lost).toEqual(['fenced']));
      expect(main.lost).toEqual([]);
      await leave(main);
      const again = await withDevices(without, 'phone');
      const anew = await observe(here, again, { deliver: 'all', device: 'phone' });
      await here.inboxes.append(again, message(owner, 'new'));
      await eventually(() => expect(anew.bodies()).toEqual(['new']));
      await leave(anew);
      // Of what nobody has ever held there is nothing to forget.
      await here.inboxes.forget(again, 'nobody', { takeover: true });
    });

    it('keep what they have when what an earlier life of the name has left is forgotten', async () => {
      const { here, elsewhere } = cluster();
      const before = await person('phone');
      await (await observe(here, before, { device: 'phone' })).inbox.close();
      await here.accounts.remove(before);
      const after = await withDevices(await here.accounts.create({ name: before.name }), 'phone');
      const first = await observe(elsewhere, after, { deliver: 'all', device: 'phone' });
      await appendAll(here, after, after, ['read']);
      await eventually(() => expect(first.bodies()).toEqual(['read']));
      first.inbox.acknowledge(0, 100);
      await here.inboxes.forget(before, 'phone', { takeover: true });
      await elsewhere.inboxes.forget(before, 'phone', { takeover: true });
      await first.inbox.confirm();
      expect(first.lost).toEqual([]);
      await leave(first);
      await here.inboxes.forget(before, 'phone', { takeover: true });
      const second = await observe(here, after, { deliver: 'all', device: 'phone' });
      await appendAll(here, after, after, ['unread']);
      await eventually(() => expect(second.bodies()).toEqual(['unread']));
      await leave(second);
    });

    it('lose their account together', async () => {
      const owner = await person('phone');
      const main = await observe(cluster().here, owner);
      const phone = await observe(cluster().elsewhere, owner, { device: 'phone' });
      await cluster().here.accounts.remove(owner);
      await cluster().here.inboxes.forget(owner, 'phone', { takeover: true });
      await eventually(() => expect(phone.lost).toEqual(['deleted']));
      await main.inbox.discard();
    });
  });
}
