import { describe, expect, it } from 'vitest';
import { HashLane, type Waiting } from '../../src/frontend/identity/hash-lane.ts';
import { HashLine, type LaneName, type Work } from '../../src/frontend/identity/hash-line.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';

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
    look: Work['look'] = () => 0,
    hasEnded: Work['hasEnded'] = () => false,
    hasErred = false,
  ) => {
    const done = line.pass({ name, address, lane, look, hasEnded, hasErred }, () => {
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
      for (const name of ['anna', 'bert', 'carl']) expect(lane.add(waiting(name, `of-${name}`))).toBeNull();
      lost.add(lane.add(waiting('dora', 'of-dora'))?.work.name ?? 'nobody');
      expect(lane.size).toBe(3);
      expect(lane.from('of-dora')).toBe(1);
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
      lane.add(waiting('anna', '2001:db8:5:2::/64'));
      lane.add(waiting('bert', '2001:db8:5:3::/64'));
      lane.add(waiting('carl', '2001:db8:5:1::/64'));
      lane.add(waiting('dora', '192.0.2.1'));
      lane.add(waiting('emil', '192.0.2.1'));
      for (let i = 0; i < 3; i++) {
        const [name = '', address = ''] = heavy(i);
        lane.add(waiting(name, address));
      }
      const newcomer = waiting('late', '2001:db8:5:9::/64');
      expect(lane.add(newcomer)?.work.address).toBe('2001:db8:5:1::/64');
    }
    const lane = new HashLane(3);
    lane.add(waiting('carl', 'a'));
    for (let i = 0; i < 10; i++) expect(lane.add(waiting('x', 'a'))?.work.name).not.toBe('carl');
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
    for (const name of ['often', 'anna', 'often']) expect(lane.add(waiting(name, 'a'))).toBeNull();
    expect(lane.add(waiting('bert', 'a'))?.work.name).toBe('often');
    // Of equals whoever was wrong already.
    lane.add(waiting('guess', 'a', true));
    expect(lane.add(waiting('carl', 'a'))?.work.name).toBe('guess');
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

/** Who waits, and hears nothing. */
function waiting(name: string, address: string, hasErred = false): Waiting {
  const work: Work = { lane: 'others', name, address, look: () => 0, hasEnded: () => false, hasErred };
  return { work, enter: () => {}, reject: () => {}, notBefore: 0 };
}
