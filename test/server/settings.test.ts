import { expect, it } from 'vitest';
import { type Config, readConfig } from '../../src/config/config.ts';
import { ConfigError, SETTINGS } from '../../src/config/setting-table.ts';
import { FrameDecoder, MAX_REPLY_PAYLOAD } from '../../src/protocol/frame.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import { version2 } from '../../src/server/adapters/version2.ts';
import { sessionLimits } from '../../src/server/commands/entry.ts';
import { hello } from '../../src/server/commands/hello.ts';
import { LIMITS } from '../../src/server/limits.ts';
import { limitsOf } from '../../src/server/server.ts';
import { openHouse } from './house.ts';

/** What an operator may write: the least and the most, and what is no whole number, or none at all. */
const VALUES = [
  ...[
    '-1',
    '0',
    '-0',
    '1',
    '2',
    '0.001',
    '0.01',
    '0.3',
    '1.5',
    '1e-7',
    '1e-300',
    '100.1',
    '6000',
    '86400000',
  ],
  ...['2147483648', '9007199254740991', '9007199254740993', '1073741824', '1e15', '1e300', 'Infinity', 'NaN'],
  ...['0x10', 'true', 'x', '300000', '128', '8760', '87600', '10000'],
];

it('every reply can be written and read, whatever value of whatever setting is taken', async () => {
  const house = await openHouse();
  const account = await house.engine.accounts.create({ name: 'anna' });
  const inbox = await house.engine.inboxes.open(account, {
    deliver: 'live',
    takeover: false,
    onMessage: () => {},
    onLost: () => {},
  });
  let taken = 0;
  for (const setting of SETTINGS) {
    for (const value of VALUES) {
      const config = readOrNull({ [setting]: value });
      if (config === null) continue;
      taken += 1;
      const limits = { ...LIMITS, ...limitsOf(config) };
      const replies = [
        await hello({ limits }, { announce: () => {} }, { type: 'hello', client: 'x' }),
        ...(['created', 'logged-in'] as const).map((type) => ({
          type,
          account,
          passwordId: 'open',
          held: {
            inbox,
            token: Buffer.alloc(32),
            tokenExpiresAt: Date.now() + limits.resumeMs,
            undelivered: config.mailbox.maxMessages,
          },
          features: new Set<never>(),
          limits: sessionLimits({ limits, mailbox: config.mailbox }),
        })),
      ];
      for (const reply of replies) {
        const bytes = version2.encodeResult(reply);
        if (bytes === null) throw new Error('version 2 answers everything');
        expect(read(bytes).type, `${setting}=${value}`).toBe(reply.type);
      }
    }
  }
  expect(taken).toBeGreaterThan(SETTINGS.length);
});

it('a mailbox of any size in MiB is told to clients in whole bytes', () => {
  expect(readConfig({ MILENA_MAILBOX_MB: '0.01' }).mailbox.maxBytes).toBe(10_486);
  expect(() => readConfig({ MILENA_MAILBOX_MB: '1e10' })).toThrow(/MILENA_MAILBOX_MB=1e10: .*For example/);
});

/** Null: refused at the start, in words. */
function readOrNull(environment: Record<string, string>): Config | null {
  try {
    return readConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return null;
  }
}

function read(bytes: Buffer) {
  const decoder = new FrameDecoder({ maxPayload: MAX_REPLY_PAYLOAD, versions: [2] });
  decoder.push(bytes);
  const frame = decoder.next();
  if (frame === undefined) throw new Error('not a whole frame');
  return v2.decodeServerFrame(frame);
}
