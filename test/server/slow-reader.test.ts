import { expect, it } from 'vitest';
import { LIMITS } from '../../src/server/limits.ts';
import { appendAll, eventually, numbered } from '../contracts/cluster.ts';
import { sized } from '../size.ts';
import { openHouse } from './house.ts';

/** What the kernel may hold of a loopback connection, on both sides, is some megabytes. */
const KERNEL_BYTES = 16 * 1024 * 1024;
const BODY_BYTES = 30_000;
const COUNT = sized(1_000, 2_000);

it('a slow reader stops its own inbox and nobody else, in bounded memory, and misses nothing', async () => {
  const house = await openHouse();
  const slow = await house.person('slow');
  const quick = await house.person('quick');
  const to = house.engine.accounts.get('slow');
  const from = house.engine.accounts.get('quick');
  if (to === undefined || from === undefined) throw new Error('both are logged in');
  slow.socket.pause();

  // 30 MB at least, more than the kernel takes.
  const bodies = numbered('x'.repeat(BODY_BYTES), COUNT);
  await appendAll(house.engine, to, from, bodies);
  // Its inbox comes to rest …
  await eventually(() => expect(house.engine.inboxes.pausedCount).toBe(1));
  const pushed = house.engine.inboxes.pushedCount('slow');
  expect(pushed * BODY_BYTES).toBeLessThan(KERNEL_BYTES + LIMITS.unsentBytes);
  expect(pushed).toBeLessThan(COUNT);
  // … while the other one chats on.
  for (const body of numbered('brisk', 50)) await quick.ask({ type: 'send', to: 'quick', body });
  await eventually(() => expect(quick.bodies()).toEqual(numbered('brisk', 50)));
  expect(house.engine.inboxes.pushedCount('slow')).toBe(pushed);

  slow.socket.resume();
  await eventually(() => expect(slow.pushes).toHaveLength(COUNT));
  expect(slow.bodies()).toEqual(bodies);
  expect(house.engine.inboxes.pausedCount).toBe(0);
});

it('a reader that never reads on leaves what was not sent undelivered', async () => {
  const house = await openHouse();
  const slow = await house.person('slow');
  const to = house.engine.accounts.get('slow');
  if (to === undefined) throw new Error('just made');
  slow.socket.pause();
  const bodies = numbered('y'.repeat(BODY_BYTES), COUNT);
  await appendAll(house.engine, to, to, bodies);
  await eventually(() => expect(house.engine.inboxes.pausedCount).toBe(1));
  const pushed = house.engine.inboxes.pushedCount('slow');
  slow.socket.resetAndDestroy();
  await eventually(() => expect(house.frontend.sessionCount).toBe(0));

  const again = await house.login('slow');
  const rest: string[] = [];
  for (;;) {
    const reply = await again.ask({ type: 'retrieve' });
    if (reply.type !== 'retrieved') throw new Error(reply.type);
    if (reply.entries.length === 0) break;
    rest.push(...reply.entries.map(({ body }) => body));
  }
  // Everything from the first message that the network had not taken, without a gap: pushed ones among them.
  expect(rest.length).toBeGreaterThan(COUNT - pushed);
  expect(rest).toEqual(bodies.slice(-rest.length));
});

it('requests of a reader that is full wait, and are answered when it reads again', async () => {
  const house = await openHouse();
  const client = await house.person('anna');
  const anna = house.engine.accounts.get('anna');
  if (anna === undefined) throw new Error('just made');
  client.socket.pause();
  const bodies = numbered('z'.repeat(BODY_BYTES), COUNT);
  await appendAll(house.engine, anna, anna, bodies);
  await eventually(() => expect(house.engine.inboxes.pausedCount).toBe(1));
  // The retrieve must not take what only waits to be pushed and have it twice.
  client.write({ type: 'retrieve' }, { type: 'list', pattern: '' });
  const other = await house.connect();
  expect(await other.ask({ type: 'list', pattern: '' })).toMatchObject({ type: 'listed' });
  client.socket.resume();
  const first = await client.reply();
  expect(await client.reply()).toEqual({ type: 'listed', names: ['anna'] });
  if (first.type !== 'retrieved') throw new Error(first.type);
  const seen = () => [...client.bodies(), ...first.entries.map(({ body }) => body)];
  await eventually(() => expect(seen()).toHaveLength(COUNT));
  const numbers = seen().map((body) => Number(body.slice(BODY_BYTES)));
  expect(numbers.sort((a, b) => a - b)).toEqual(bodies.map((_, i) => i));
});

it('a reader that asks and asks and reads no answer is answered no more than can wait', {
  timeout: 240_000,
}, async () => {
  // As much as it likes, which no stranger may have otherwise.
  const much = { burst: 2 ** 30, perSecond: 2 ** 30 };
  const house = await openHouse({ limits: { listedBytesPerAddress: much, listedBytes: much } });
  const { accounts } = house.engine;
  await Promise.all(
    Array.from({ length: 2_000 }, (_, i) => accounts.create({ name: `somebody-or-other-${i}` })),
  );
  const replyBytes = 2_000 * 'somebody-or-other-1000; '.length;
  let listed = 0;
  const list = accounts.list.bind(accounts);
  accounts.list = (pattern, options) => {
    listed += 1;
    return list(pattern, options);
  };
  const greedy = await house.connect();
  const honest = await house.connect();
  greedy.socket.pause();
  const asked = sized(500, 1_000);
  greedy.write(...Array.from({ length: asked }, () => ({ type: 'list', pattern: '' }) as const));
  let before = -1;
  // At rest: others are answered, and this one is not.
  await eventually(async () => {
    const now = listed;
    const settled = now === before;
    before = now;
    for (let i = 0; i < 10; i++) await honest.ask({ type: 'retrieve' });
    expect(settled && listed === now).toBe(true);
  });
  expect(listed * replyBytes).toBeLessThan(KERNEL_BYTES + LIMITS.unsentBytes);
  expect(listed).toBeLessThan(asked);
  greedy.socket.resume();
  for (let i = 0; i < asked; i++) expect((await greedy.reply()).type).toBe('listed');
});
