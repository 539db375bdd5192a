import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { EngineError } from '../../src/core/errors.ts';
import { addressOf } from '../../src/server/commands/audited.ts';
import { Audit, type AuditEntry } from '../../src/server/identity/audit.ts';
import { eventually } from '../contracts/cluster.ts';
import { type House, openHouse, PASSWORD } from './house.ts';

const NEW = 'battery staple';

/** The audit's lines so far, without time and process. */
function lines(house: House): Record<string, unknown>[] {
  return house.logged
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter((line) => 'audit' in line)
    .map(({ time, pid, hostname, level, ...line }) => line);
}

describe('the audit', () => {
  it('has one line for whatever happens to an account, with who and from where, and no secret', async () => {
    const house = await openHouse();
    const anna = await house.connect2('127.0.0.5');
    expect(await anna.refusal({ type: 'create', username: 'anna', password: 'password' })).toBe(
      'WEAK_PASSWORD',
    );
    await anna.create('anna', PASSWORD);
    await anna.refusal({ type: 'password', old: 'guessed wrong', new: NEW });
    const { token } = await anna.expect('password-changed', { type: 'password', old: PASSWORD, new: NEW });
    const other = await house.connect2('127.0.0.6');
    await other.refusal({ type: 'login', username: 'anna', password: 'guessed wrong' });
    await other.login('anna', { password: NEW, takeover: true });
    await anna.over();
    other.write({ type: 'logout' });
    await other.over();
    const third = await house.connect2('127.0.0.7');
    await third.refusal({ type: 'login', username: 'anna', token });
    await third.login('anna', { password: NEW });
    await third.refusal({ type: 'delete', password: 'guessed wrong' });
    third.write({ type: 'delete', password: NEW });
    await third.over();

    const [first, second, last] = ['127.0.0.5', '127.0.0.6', '127.0.0.7'].map((address) => ({
      user: 'anna',
      address,
    }));
    const wrong = { outcome: 'failed', reason: 'BAD_CREDENTIALS' };
    await eventually(() => expect(lines(house)).toHaveLength(12));
    // Not in this order: the old login may hear of its end before the new one is answered, and what comes often waits.
    expect(lines(house)).toEqual(
      expect.arrayContaining([
        { audit: 'create', ...first, outcome: 'failed', reason: 'WEAK_PASSWORD', msg: 'create failed' },
        { audit: 'create', ...first, outcome: 'ok', msg: 'create ok' },
        { audit: 'password', ...first, ...wrong, msg: 'password failed' },
        { audit: 'password', ...first, outcome: 'ok', msg: 'password ok' },
        { audit: 'login', ...second, by: 'password', ...wrong, msg: 'login failed' },
        { audit: 'login', ...second, by: 'password', takeover: true, outcome: 'ok', msg: 'login ok' },
        { audit: 'takeover', ...first, outcome: 'ok', msg: 'takeover ok' },
        { audit: 'logout', ...second, outcome: 'ok', msg: 'logout ok' },
        { audit: 'login', ...last, by: 'token', ...wrong, msg: 'login failed' },
        { audit: 'login', ...last, by: 'password', outcome: 'ok', msg: 'login ok' },
        { audit: 'delete', ...last, ...wrong, msg: 'delete failed' },
        { audit: 'delete', ...last, outcome: 'ok', msg: 'delete ok' },
      ]),
    );
    const all = house.logged.join('');
    for (const secret of [PASSWORD, NEW, 'guessed wrong', Buffer.from(token).toString('base64url')]) {
      expect(all).not.toContain(secret);
    }
    expect(all).not.toContain(Buffer.from(token).toString('hex'));
  });

  it('says of an account that was made that it was, though nobody is logged in to it', async () => {
    const house = await openHouse();
    vi.spyOn(house.engine.tokens, 'put').mockRejectedValueOnce(new EngineError('UNAVAILABLE', 'told to'));
    const client = await house.connect2();
    const request = { type: 'create', username: 'anna', password: PASSWORD } as const;
    expect(await client.expect('failure', request)).toMatchObject({ code: 'UNAVAILABLE', created: true });
    const made = { audit: 'create', user: 'anna', outcome: 'ok', reason: 'UNAVAILABLE', msg: 'create ok' };
    await eventually(() => expect(lines(house)).toEqual([expect.objectContaining(made)]));
  });

  it('has a line for who is locked out, and for one of version 1 who is refused', async () => {
    const none = { burst: 1, perSecond: 0.001 };
    const limits = { failuresPerPair: none, failuresPerName: none, hashesWaiting: 1 };
    const house = await openHouse({ limits });
    const client = await house.connect2();
    const wrong = { type: 'login', username: 'anna', password: 'wrong' } as const;
    for (let i = 0; i < 2; i++) await client.refusal(wrong);
    // Of two that wait there is room for one.
    const others = await Promise.all([house.connect2(), house.connect2()]);
    for (const other of others) other.write(wrong);
    const old = await house.connect();
    await old.ask({ type: 'login', name: 'nobody' });
    const both = [
      { audit: 'login', user: 'anna', outcome: 'refused', reason: 'RATE_LIMITED' },
      { audit: 'login', user: 'nobody', by: 'none', outcome: 'failed', reason: 'NO_SUCH_USER' },
    ].map((line) => expect.objectContaining(line));
    await eventually(() => expect(lines(house)).toEqual(expect.arrayContaining(both)));
  });

  it('says a bounded number of lines, whatever strangers do, of each address some, and counts the rest', () => {
    const { audit, written } = open();
    const began = performance.now();
    for (let i = 0; i < 20_000; i++) audit.record(failed(`10.0.0.${i % 250}`));
    const allowed = 2 + Math.floor(((performance.now() - began) / 1_000) * 3);
    expect(written().length).toBeLessThanOrEqual(allowed);
    audit.close();
    const said = written().reduce((sum, { times = 1 }) => sum + Number(times), 0);
    expect(said).toBe(20_000);
    expect(written().at(-1)).toMatchObject({ audit: 'more' });
    // What waits is bounded, too.
    for (let i = 0; i < 20_000; i++) audit.record(failed(`10.${i >> 8}.0.${i & 255}`));
    audit.close();
    expect(written().reduce((sum, { times = 1 }) => sum + Number(times), 0)).toBe(40_000);
  });

  it('says at most ten lines in a second, with new accounts and sums, and no name of those is lost', async () => {
    const { audit, written } = open();
    for (let i = 0; i < 5_000; i++) {
      audit.record(failed(`10.${i >> 8}.0.${i & 255}`));
      if (i < 60) audit.record({ audit: 'create', outcome: 'ok', user: `anna-${i}`, address: '10.0.0.1' });
    }
    await eventually(() =>
      expect(written().filter(({ audit }) => audit === 'more').length).toBeGreaterThan(0),
    );
    const times = written().map(({ time = 0 }) => time);
    for (const at of times) {
      expect(times.filter((time) => time >= at && time < at + 1_000).length).toBeLessThanOrEqual(10);
    }
    audit.close();
  });

  it('comes round to every address, and sums up what came from it meanwhile', async () => {
    const { audit, written } = open();
    for (let i = 0; i < 70; i++) audit.record(failed(`10.0.0.${i % 7}`));
    await eventually(() => {
      const addresses = new Set(written().map(({ address }) => address));
      expect(addresses.size).toBe(7);
    });
    const last = written().find(({ address }) => address === '10.0.0.6');
    expect(last).toMatchObject({ times: 10 });
    audit.close();
  });
});

it.each([
  ['192.0.2.1:5', '192.0.2.1'],
  ['::ffff:192.0.2.1:5', '192.0.2.1'],
  ['2001:db8::1:5', '2001:db8::1'],
  ['?:0', '?'],
])('%s is from %s', (peer, address) => expect(addressOf(peer)).toBe(address));

function open() {
  const logged: string[] = [];
  const audit = new Audit(pino({ level: 'info' }, { write: (line: string) => logged.push(line) }));
  const written = () =>
    logged.map((line): { audit?: string; time?: number; times?: number; address?: string } =>
      JSON.parse(line),
    );
  return { audit, written };
}

function failed(address: string): AuditEntry {
  return { audit: 'login', outcome: 'failed', user: 'anna', address, reason: 'BAD_CREDENTIALS' };
}
