import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ProtocolError } from '../../src/protocol/errors.ts';
import type { LaneName, Work } from '../../src/server/identity/hash-lane.ts';
import { HashLane, type LaneEntry } from '../../src/server/identity/hash-lane.ts';
import { HashLine } from '../../src/server/identity/hash-line.ts';

/** A line whose work takes as long as a test wants. */
function open(atOnce: number, waiting = 100) {
  const line = new HashLine({ atOnce, waiting });
  const begun: string[] = [];
  const refused: string[] = [];
  const ends: (() => void)[] = [];
  const join = (
    name: string,
    address: string,
    lane: LaneName = 'others',
    waitMs: Work['waitMs'] = () => 0,
    hasEnded: Work['hasEnded'] = () => false,
    hasErred = false,
    whenGone: Work['whenGone'] = () => {},
  ) => {
    const done = line.pass({ name, address, lane, waitMs, hasEnded, hasErred, whenGone }, () => {
      begun.push(`${name}@${address}`);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
    done.catch((error: unknown) => refused.push(error instanceof ProtocolError ? error.code : 'fault'));
  };
  /** Ends what was begun first, and lets the next one begin. */
  const finish = async () => {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { line, begun, refused, join, finish, settled };
}

describe('the line for hashes', () => {
  it('does a few at once, and each pair of name and address one after the other', async () => {
    const { begun, join, finish, settled } = open(2);
    for (let i = 0; i < 3; i++) join('anna', 'a');
    join('bert', 'a');
    await settled();
    expect(begun).toEqual(['anna@a', 'bert@a']);
    await finish();
    expect(begun).toEqual(['anna@a', 'bert@a', 'anna@a']);
  });

  it('lets addresses take turns, so a flood from one delays others by one hash', async () => {
    const { begun, join, finish, settled } = open(1);
    for (let i = 0; i < 50; i++) join(`name-${i}`, 'flood');
    await settled();
    join('anna', 'a');
    join('bert', 'a');
    for (let i = 0; i < 4; i++) await finish();
    expect(begun.slice(1, 5)).toEqual(['name-1@flood', 'anna@a', 'name-2@flood', 'bert@a']);
  });

  it('gives who got in lately most of it, and starves nobody', async () => {
    const { begun, join, finish, settled } = open(1, 1_000);
    for (let i = 0; i < 100; i++) {
      join(`k-${i}`, 'a', 'known');
      join(`o-${i}`, 'b', 'others');
      join(`c-${i}`, 'c', 'creates');
    }
    await settled();
    for (let i = 0; i < 70; i++) await finish();
    const count = (letter: string) => begun.filter((name) => name.startsWith(letter)).length;
    expect(count('k')).toBeGreaterThan(35);
    expect(count('o')).toBeGreaterThan(15);
    expect(count('c')).toBeGreaterThan(7);
  });

  it('keeps a place for a login, however many new accounts come', async () => {
    const { begun, join, settled } = open(2);
    for (let i = 0; i < 10; i++) join(`new-${i}`, `a-${i}`, 'creates');
    await settled();
    expect(begun).toEqual(['new-0@a-0']);
    join('anna', 'a');
    await settled();
    expect(begun).toEqual(['new-0@a-0', 'anna@a']);
  });

  it('takes a place from whoever has most of them, when it is full', async () => {
    const { begun, refused, join, finish, settled } = open(1, 10);
    for (let i = 0; i < 11; i++) join(`name-${i}`, 'flood');
    await settled();
    join('anna', 'a');
    join('more', 'flood');
    await settled();
    expect(refused).toEqual(['BUSY', 'BUSY']);
    await finish();
    await finish();
    expect(begun).toContain('anna@a');
  });

  it('takes it from a name that is tried from everywhere, too', async () => {
    const { refused, begun, join, finish, settled } = open(1, 10);
    for (let i = 0; i < 9; i++) join('victim', `bot-${i}`);
    join('carl', 'office');
    join('dora', 'office');
    await settled();
    join('emil', 'office');
    await settled();
    expect(refused).toEqual(['BUSY']);
    for (let i = 0; i < 11; i++) await finish();
    expect(begun).toEqual(expect.arrayContaining(['carl@office', 'dora@office', 'emil@office']));
  });

  it('lets a newcomer in where everybody has one place, and takes it from any of them', async () => {
    const lost = new Set<string>();
    // None of three is spared by chance in more than one of 10^17 runs.
    for (let run = 0; run < 100; run++) {
      const lane = new HashLane(3);
      for (const name of ['anna', 'bert', 'carl']) expect(put(lane, name, `of-${name}`)).toBeNull();
      lost.add(put(lane, 'dora', 'of-dora')?.work.name ?? 'nobody');
      expect(lane.size).toBe(3);
      expect(lane.empty().map(({ work }) => work.name)).toContain('dora');
    }
    expect([...lost].sort()).toEqual(['anna', 'bert', 'carl']);
  });

  it('is not filled by one IPv6 network with a thousand addresses and names', async () => {
    const { begun, refused, join, finish, settled } = open(1, 1_000);
    for (let i = 0; i <= 1_000; i++) join(`name-${i}`, `2001:db8:5:${i.toString(16)}::/64`);
    await settled();
    for (let i = 0; i < 20; i++) join(`anna-${i}`, `192.0.2.${i}`);
    join('elsewhere', '2001:db8:6:1::/64');
    // They have their places still when as many come again.
    for (let i = 0; i <= 1_000; i++) join(`more-${i}`, `2001:db8:5:${i.toString(16)}::/64`);
    await settled();
    expect(refused).toHaveLength(1_022);
    for (let i = 0; i < 22; i++) await finish();
    expect(begun).toContain('elsewhere@2001:db8:6:1::/64');
    expect(begun.filter((name) => name.startsWith('anna'))).toHaveLength(20);
  });

  it('takes a place from the heaviest of a network, of an address, of a name', () => {
    for (const heavy of [(i: number) => [`x-${i}`, '2001:db8:5:1::/64'], () => ['x', '2001:db8:5:1::/64']]) {
      const lane = new HashLane(8);
      put(lane, 'anna', '2001:db8:5:2::/64');
      put(lane, 'bert', '2001:db8:5:3::/64');
      put(lane, 'carl', '2001:db8:5:1::/64');
      put(lane, 'dora', '192.0.2.1');
      put(lane, 'emil', '192.0.2.1');
      for (let i = 0; i < 3; i++) {
        const [name = '', address = ''] = heavy(i);
        put(lane, name, address);
      }
      expect(put(lane, 'late', '2001:db8:5:9::/64')?.work.address).toBe('2001:db8:5:1::/64');
    }
    const lane = new HashLane(3);
    put(lane, 'carl', 'a');
    for (let i = 0; i < 10; i++) expect(put(lane, 'x', 'a')?.work.name).not.toBe('carl');
    expect(lane.size).toBe(3);
  });

  it('lets whose client has ended go last, and gives their places away first', async () => {
    const { line, begun, refused, join, finish, settled } = open(1, 4);
    const ended = () => true;
    let hasAnnaEnded = false;
    join('first', 'a');
    join('left', 'b', 'known', () => 0, ended);
    join('left', 'c', 'others', () => 0, ended);
    join(
      'anna',
      'd',
      'others',
      () => 0,
      () => hasAnnaEnded,
    );
    for (const name of ['bert', 'carl']) join(name, 'e');
    await settled();
    join('late', 'f', 'others', () => 0, ended);
    await settled();
    expect(refused).toEqual(['BUSY']);
    join('dora', 'e');
    await settled();
    expect(refused).toEqual(['BUSY', 'BUSY']);
    hasAnnaEnded = true;
    for (let i = 0; i < 6; i++) await finish();
    expect(begun).toEqual(['first@a', 'bert@e', 'carl@e', 'dora@e', 'left@b', 'anna@d']);
    expect(line.waiting).toBe(0);
  });

  it('looks again when the turn comes: at who is not to be served any more, and at who has to wait', async () => {
    const { line, begun, refused, join, finish, settled } = open(1);
    let wait = 0;
    let gone = false;
    join('first', 'a');
    join('slow', 'b', 'others', () => wait);
    join('gone', 'c', 'others', () => {
      if (gone) throw new ProtocolError('UNAVAILABLE');
      return 0;
    });
    join('last', 'd');
    await settled();
    wait = 5;
    gone = true;
    await finish();
    expect(refused).toEqual(['UNAVAILABLE']);
    expect(begun).toEqual(['first@a', 'last@d']);
    wait = 0;
    await finish();
    await expect.poll(() => begun).toEqual(['first@a', 'last@d', 'slow@b']);
    expect(line.waiting).toBe(0);
  });

  it('does what had to wait as soon as it may, without a newcomer', async () => {
    const { begun, join } = open(1);
    const at = performance.now() + 30;
    join('slow', 'a', 'others', () => Math.max(0, Math.ceil(at - performance.now())));
    await expect.poll(() => begun).toEqual(['slow@a']);
  });

  it('keeps everybody who has to wait, and puts out one of the name and address with most of it', async () => {
    const { line, refused, join, settled } = open(1, 40);
    for (let i = 0; i < 38; i++) join(`name-${i}`, 'a', 'others', () => 60_000);
    for (let i = 0; i < 2; i++) join('often', 'a', 'others', () => 60_000);
    await settled();
    expect(refused).toEqual([]);
    join('anna', 'a', 'others', () => 60_000);
    await settled();
    expect(refused).toEqual(['RATE_LIMITED']);
    expect(line.waiting).toBe(40);
    const lane = new HashLane(3);
    for (const name of ['often', 'anna', 'often']) expect(put(lane, name, 'a')).toBeNull();
    expect(put(lane, 'bert', 'a')?.work.name).toBe('often');
    // Of equals whoever was wrong already.
    put(lane, 'guess', 'a', true);
    expect(put(lane, 'carl', 'a')?.work.name).toBe('guess');
  });

  it('lets names of an address take turns', async () => {
    const { begun, join, finish, settled } = open(1);
    for (let i = 0; i < 20; i++) join('victim', 'a');
    join('anna', 'a');
    await settled();
    for (let i = 0; i < 2; i++) await finish();
    expect(begun).toContain('anna@a');
  });

  it('gives whoever has not erred every second turn of an address, and whoever has the others', async () => {
    const { begun, join, finish, settled } = open(1);
    const erred = (name: string) =>
      join(
        name,
        'a',
        'others',
        () => 0,
        () => false,
        true,
      );
    for (let i = 0; i < 20; i++) erred(`guess-${i}`);
    await settled();
    for (const name of ['anna', 'bert']) join(name, 'a');
    for (let i = 0; i < 5; i++) await finish();
    expect(begun.slice(1)).toEqual(['anna@a', 'guess-1@a', 'bert@a', 'guess-2@a', 'guess-3@a']);
  });

  it('lets nobody pass those who waited for the same moment', async () => {
    const { begun, join, finish } = open(1);
    const at = performance.now() + 20;
    const look = () => Math.max(0, Math.ceil(at - performance.now()));
    for (const name of ['anna', 'bert']) join(name, 'a', 'others', look);
    // No timer runs meanwhile.
    while (look() > 0);
    join('late', 'a', 'others', look);
    await expect.poll(() => begun).toEqual(['anna@a']);
    for (let i = 0; i < 2; i++) await finish();
    expect(begun).toEqual(['anna@a', 'bert@a', 'late@a']);
  });

  it('wakes for the earliest of those who wait', async () => {
    const { begun, join } = open(1);
    const at = performance.now() + 30;
    join('slow', 'a', 'others', () => 3_600_000);
    join('anna', 'b', 'others', () => Math.max(0, Math.ceil(at - performance.now())));
    await expect.poll(() => begun).toEqual(['anna@b']);
  });

  it('lets no lane save up its rest, whoever waits there for a time', async () => {
    for (const [held, busy] of [
      ['others', 'known'],
      ['known', 'others'],
      ['creates', 'others'],
    ] as const) {
      const { begun, join, finish, settled } = open(1, 1_000);
      join('held', 'h', held, () => 60_000);
      for (let i = 0; i < 200; i++) join(`rested-${i}`, 'b', busy);
      await settled();
      for (let i = 0; i < 150; i++) await finish();
      for (let i = 0; i < 100; i++) join(`late-${i}`, 'l', held);
      const before = begun.length;
      for (let i = 0; i < 30; i++) await finish();
      // The least share is one of three.
      const served = begun.slice(before).filter((name) => name.startsWith('rested')).length;
      expect(served).toBeGreaterThanOrEqual(5);
    }
  });

  it('keeps turns while nobody may be served: names of an address, and who has erred or not', async () => {
    stopTime();
    const { begun, join, finish, settled } = open(1);
    // One more may be wrong each time that somebody was served.
    let tokens = 0;
    const waitMs = () => (tokens > 0 ? 0 : 60_000);
    const wait = (name: string, hasErred: boolean) =>
      join(name, 'a', 'others', waitMs, () => false, hasErred);
    for (let i = 0; i < 6; i++) wait('victim', false);
    for (let i = 0; i < 3; i++) wait('guess', true);
    wait('anna', false);
    await settled();
    expect(begun).toEqual([]);
    for (let count = 1; count <= 4; count++) {
      tokens = 1;
      vi.advanceTimersByTime(2_000);
      await settled();
      expect(begun).toHaveLength(count);
      tokens = 0;
      await finish();
    }
    expect(begun).toEqual(['victim@a', 'guess@a', 'anna@a', 'guess@a']);
  });

  it('looks at nobody again before something may have changed, however many wait', async () => {
    stopTime();
    const { begun, join, finish, settled } = open(2, 1_000);
    const asked = { looks: 0, ends: 0 };
    const counted = (wait: number) => () => {
      asked.looks += 1;
      return wait;
    };
    const hasEnded = (ended: boolean) => () => {
      asked.ends += 1;
      return ended;
    };
    for (let i = 0; i < 500; i++) join(`later-${i}`, 'a', 'others', counted(60_000), hasEnded(false));
    // Behind what is being done for the same name, for as long as that takes.
    for (let i = 0; i < 400; i++) join('same', 'b', 'others', counted(0), hasEnded(false));
    for (let i = 0; i < 100; i++) join(`ended-${i}`, 'c', 'known', counted(60_000), hasEnded(true));
    await settled();
    const before = { ...asked };
    for (let i = 0; i < 50; i++) {
      join(`anna-${i}`, 'd', 'known');
      await settled();
      await finish();
    }
    expect(begun.length).toBeGreaterThan(50);
    // At each of the same name that was served, and at one behind it.
    expect(asked.looks - before.looks).toBeLessThan(150);
    expect(asked.ends - before.ends).toBeLessThan(150);
  });

  it('lets whoever is gone leave at once, wherever they wait', async () => {
    const { line, begun, refused, join, finish, settled } = open(1);
    const leaves = new Map<string, (() => void) | null>();
    const gone = (name: string, lane: LaneName, wait: number, hasEnded = false) =>
      join(
        name,
        `of-${name}`,
        lane,
        () => wait,
        () => hasEnded,
        false,
        (leave) => leaves.set(name, leave),
      );
    join('first', 'a');
    for (const lane of ['known', 'others', 'creates'] as const) {
      gone(`turn-${lane}`, lane, 0);
      gone(`later-${lane}`, lane, 60_000);
      gone(`last-${lane}`, lane, 0, true);
    }
    gone('bert', 'others', 0);
    await settled();
    expect(line.waiting).toBe(10);
    for (const [name, leave] of leaves) if (name !== 'bert') leave?.();
    await settled();
    expect(line.waiting).toBe(1);
    expect(refused).toEqual(Array.from({ length: 9 }, () => 'UNAVAILABLE'));
    await finish();
    await finish();
    expect(begun).toEqual(['first@a', 'bert@of-bert']);
    // Nobody is held on to who waits no longer.
    expect([...leaves.values()].every((leave) => leave === null)).toBe(true);
  });

  it('lets nobody pass after it was closed', async () => {
    const { line, begun, refused, join, finish, settled } = open(2);
    join('first', 'a');
    await settled();
    line.close();
    join('late', 'b');
    join('later', 'b', 'others', () => 60_000);
    await settled();
    expect(refused).toEqual(['SHUTTING_DOWN', 'SHUTTING_DOWN']);
    await finish();
    expect([begun, line.waiting]).toEqual([['first@a'], 0]);
  });

  it('tells all who wait when it closes', async () => {
    const { line, refused, join, settled } = open(1);
    join('anna', 'a', 'others', () => 60_000);
    join('bert', 'b', 'known', () => 60_000);
    line.close();
    await settled();
    expect(refused).toEqual(['SHUTTING_DOWN', 'SHUTTING_DOWN']);
    expect(line.waiting).toBe(0);
  });
});

/** Until the test is over, but for `vi.advanceTimersByTime`. */
function stopTime(): void {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

/** Somebody waits, and hears nothing. @returns who is crowded out by it */
function put(lane: HashLane, name: string, address: string, hasErred = false): LaneEntry | null {
  const nothing = () => {};
  const work: Work = {
    lane: 'others',
    name,
    address,
    waitMs: () => 0,
    hasEnded: () => false,
    hasErred,
    whenGone: nothing,
  };
  return lane.crowdOut(lane.add({ work, enter: nothing, reject: nothing }));
}
