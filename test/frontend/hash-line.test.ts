import { describe, expect, it } from 'vitest';
import { HashLine, type LaneName, type Work } from '../../src/frontend/identity/hash-line.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';

/** A line whose work takes as long as a test wants. */
function open(atOnce: number, waiting = 100) {
  const line = new HashLine({ atOnce, waiting });
  const begun: string[] = [];
  const refused: string[] = [];
  const ends: (() => void)[] = [];
  const join = (name: string, address: string, lane: LaneName = 'others', look: Work['look'] = () => 0) => {
    const done = line.pass({ name, address, lane, look }, () => {
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
    expect(begun).toEqual(['first@a', 'last@d', 'slow@b']);
    expect(line.waiting).toBe(0);
  });

  it('does what had to wait as soon as it may, without a newcomer', async () => {
    const { begun, join } = open(1);
    const at = performance.now() + 30;
    join('slow', 'a', 'others', () => Math.max(0, Math.ceil(at - performance.now())));
    await expect.poll(() => begun).toEqual(['slow@a']);
  });

  it('lets a bounded number from an address wait for their time', async () => {
    const { refused, join, settled } = open(1);
    for (let i = 0; i < 11; i++) join(`name-${i}`, 'a', 'others', () => 60_000);
    join('anna', 'b', 'others', () => 60_000);
    await settled();
    expect(refused).toEqual(['RATE_LIMITED']);
  });
});
