import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { TlsSettings } from '../../src/client/socket.ts';
import { type Keeping, KeptLogins } from '../../src/terminal/kept-logins.ts';

const folders: string[] = [];
const SOON = Date.now() + 3_600_000;
let directory: string;
let problems: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'milena-logins-'));
  folders.push(directory);
  problems = [];
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

interface Options {
  readonly keeping?: Exclude<Keeping, 'none'>;
  readonly servers?: readonly string[];
  readonly tls?: TlsSettings;
  readonly staysLoggedIn?: boolean;
  readonly onDisk?: boolean;
  readonly device?: string | null;
}

function logins(options: Options = {}): KeptLogins {
  const { keeping = 'all', servers = ['host:1'], tls, staysLoggedIn = true, onDisk = true } = options;
  const { device = null } = options;
  const [server = '', ...others] = servers;
  const settings = { directory: onDisk ? directory : null, server, others, device, tls, staysLoggedIn };
  return new KeptLogins(settings, keeping, (sentence) => problems.push(sentence));
}

function identity(name: string, token: Uint8Array | null = new Uint8Array(randomBytes(32))) {
  return { name, incarnation: 'ab'.repeat(16), inbox: 'cd'.repeat(16), isOpen: false, token };
}

const fileOf = (name: string) => join(directory, 'logins', `${name}@host%3a1.json`);
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('a login', () => {
  test('is there for the next program, and for its account on its server alone', () => {
    const maria = identity('maria');
    logins().keep(maria, SOON);
    expect(logins().find('maria')).toMatchObject(maria);
    expect(logins().find('bert')).toBeNull();
    expect(logins({ servers: ['host:2'] }).find('maria')).toBeNull();
    expect(logins({ servers: ['new:1', 'HOST:1'] }).find('maria')).toMatchObject(maria);
    const newer = identity('maria');
    logins({ servers: ['new:1', 'host:1'] }).keep(newer, SOON);
    expect(logins().find('maria')?.token).toEqual(newer.token);
    expect(problems).toEqual([]);
  });

  test('is for nobody else to read, whatever the umask', () => {
    const umask = process.umask(0);
    try {
      logins().keep(identity('maria'), SOON);
    } finally {
      process.umask(umask);
    }
    expect([modeOf(join(directory, 'logins')), modeOf(fileOf('maria'))]).toEqual(['700', '600']);
    expect(readdirSync(join(directory, 'logins'))).toEqual(['maria@host%3a1.json']);
  });

  test.each([
    ['its file may be read by others', () => chmodSync(fileOf('maria'), 0o640), /chmod go-rwx .*maria@/],
    [
      'its folder may be looked into',
      () => chmodSync(join(directory, 'logins'), 0o750),
      /chmod go-rwx .*logins$/,
    ],
    [
      'its file is a link',
      () => {
        writeFileSync(join(directory, 'elsewhere'), readFileSync(fileOf('maria')), { mode: 0o600 });
        rmSync(fileOf('maria'));
        symlinkSync(join(directory, 'elsewhere'), fileOf('maria'));
      },
      /is not a file/,
    ],
  ])('is not used where %s, and the sentence says so', (_, spoil, text) => {
    logins().keep(identity('maria'), SOON);
    spoil();
    expect(logins().find('maria')).toBeNull();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(text);
  });

  test('is not kept where others may look', () => {
    mkdirSync(join(directory, 'logins'), { mode: 0o777 });
    chmodSync(join(directory, 'logins'), 0o755);
    logins().keep(identity('maria'), SOON);
    expect(problems[0]).toMatch(/The login of maria is not kept: .*chmod go-rwx/);
    expect(readdirSync(join(directory, 'logins'))).toEqual([]);
  });

  test.each([
    '',
    'null',
    '[]',
    '{"name":"maria"}',
    JSON.stringify({ ...identity('maria'), token: 'short', expiresAt: SOON, isEncrypted: false }),
    JSON.stringify({ ...identity('bert'), token: 'A'.repeat(43), expiresAt: SOON, isEncrypted: false }),
    JSON.stringify({ ...identity('maria'), token: 'A'.repeat(43), expiresAt: 'never', isEncrypted: false }),
    JSON.stringify({
      ...identity('maria'),
      token: 'A'.repeat(43),
      expiresAt: SOON,
      isEncrypted: false,
      more: 'x'.repeat(5_000),
    }),
  ])('that is none is as good as none: %.30s', (content) => {
    logins().keep(identity('maria'), SOON);
    writeFileSync(fileOf('maria'), content);
    expect(logins().find('maria')).toBeNull();
    logins().keep(identity('maria'), SOON);
    expect(logins().find('maria')).not.toBeNull();
  });

  test('that has run out is told and taken away', () => {
    logins().keep(identity('maria'), Date.now() - 1);
    expect(logins().find('maria')).toBeNull();
    expect(problems).toEqual(['The login of maria that was kept on this machine has run out.']);
    expect(logins().has('maria')).toBe(false);
  });

  test('that came encrypted does not go in plain text', () => {
    logins({ tls: {} }).keep(identity('maria'), SOON);
    expect(logins().find('maria')).toBeNull();
    expect(logins({ tls: {} }).find('maria')).not.toBeNull();
  });

  test('is forgotten, but not if another program has kept a newer one', () => {
    const [older, newer] = [identity('maria'), identity('maria')];
    logins().keep(older, SOON);
    logins().keep(newer, SOON);
    logins().forget('maria', older.token);
    expect(logins().has('maria')).toBe(true);
    logins().forget('maria', newer.token);
    expect(logins().has('maria')).toBe(false);
    logins().forget('maria');
  });

  test('of the account that was kept longest ago makes room', () => {
    const names = Array.from({ length: 101 }, (_, index) => `name${index}`);
    for (const [index, name] of names.entries()) {
      logins().keep(identity(name), SOON);
      if (index < 100) utimesSync(fileOf(name), 1_000 + index, 1_000 + index);
    }
    expect(readdirSync(join(directory, 'logins'))).toHaveLength(100);
    expect([logins().has('name0'), logins().has('name1'), logins().has('name100')]).toEqual([
      false,
      true,
      true,
    ]);
  });
});

test('commands begin no login, and let none become worthless', () => {
  const commands = logins({ keeping: 'known' });
  commands.keep(identity('maria'), SOON);
  expect(logins().has('maria')).toBe(false);
  logins().keep(identity('maria'), SOON);
  const newer = identity('maria');
  commands.keep(newer, SOON);
  expect(logins().find('maria')?.token).toEqual(newer.token);
});

test('who does not want it has none, and what there was goes with the next login', () => {
  logins().keep(identity('maria'), SOON);
  const none = logins({ staysLoggedIn: false });
  expect([none.has('maria'), none.find('maria')]).toEqual([false, null]);
  none.keep(identity('maria'), SOON);
  expect(readdirSync(join(directory, 'logins'))).toEqual([]);
});

test('each device has a login of its own', () => {
  const [main, phone] = [identity('maria'), identity('maria')];
  logins().keep(main, SOON);
  expect(logins({ device: 'phone' }).has('maria')).toBe(false);
  logins({ device: 'phone' }).keep(phone, SOON);
  expect(logins().find('maria')?.token).toEqual(main.token);
  expect(logins({ device: 'phone' }).find('maria')?.token).toEqual(phone.token);
});

test('without a place on disk nothing is kept', () => {
  const nowhere = logins({ onDisk: false });
  nowhere.keep(identity('maria'), SOON);
  nowhere.forget('maria');
  expect([nowhere.has('maria'), nowhere.find('maria')]).toEqual([false, null]);
  expect(problems).toEqual([]);
});

test('what cannot be put in its place leaves no token behind', () => {
  mkdirSync(fileOf('maria'), { recursive: true, mode: 0o700 });
  chmodSync(join(directory, 'logins'), 0o700);
  logins().keep(identity('maria'), SOON);
  expect(problems).toEqual([expect.stringMatching(/^The login of maria is not kept: /)]);
  expect(readdirSync(join(directory, 'logins'))).toEqual(['maria@host%3a1.json']);
});

test('a login is kept also where another one cannot be taken away', () => {
  const folder = join(directory, 'logins');
  mkdirSync(folder, { mode: 0o700 });
  for (let count = 0; count < 100; count++) {
    mkdirSync(join(folder, `folder${count}`));
    utimesSync(join(folder, `folder${count}`), 1_000 + count, 1_000 + count);
  }
  logins().keep(identity('maria'), SOON);
  expect(problems).toEqual([expect.stringMatching(/^A login that was kept is not taken away: /)]);
  expect(logins().find('maria')).not.toBeNull();
});

// Whoever may do everything may write there all the same.
test.skipIf(process.getuid?.() === 0)(
  'a folder that is not to be written to costs no more (not as root)',
  () => {
    logins().keep(identity('maria'), Date.now() - 1);
    chmodSync(join(directory, 'logins'), 0o500);
    try {
      expect(logins().find('maria')).toBeNull();
    } finally {
      chmodSync(join(directory, 'logins'), 0o700);
    }
    expect(problems).toEqual([
      expect.stringMatching(/^A login that was kept is not taken away: /),
      'The login of maria that was kept on this machine has run out.',
    ]);
  },
);

test('a folder that cannot be made costs nothing but the login', () => {
  writeFileSync(join(directory, 'logins'), '');
  logins().keep(identity('maria'), SOON);
  expect(problems[0]).toMatch(/^The login of maria is not kept: /);
});
