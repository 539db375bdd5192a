import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Flags } from '../../src/terminal/setting-sources.ts';
import { SETTING_NAMES, TABLE } from '../../src/terminal/setting-table.ts';
import { readSettings, type Settings, SettingsError } from '../../src/terminal/settings.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'milena-settings-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function read(flags: Flags, environment: Record<string, string> = {}): Settings {
  // No frontend has been started from there.
  return readSettings(flags, { HOME: home, MILENA_STATE_DIR: join(home, 'state'), ...environment });
}

function write(content: unknown): string {
  mkdirSync(join(home, '.config', 'milena'), { recursive: true });
  const file = join(home, '.config', 'milena', 'settings.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

function mistake(flags: Flags, environment: Record<string, string> = {}): string {
  try {
    read(flags, environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error('nothing was wrong');
}

/** What is wrong with a file of that content. */
function mistakeIn(content: unknown): string {
  write(content);
  return mistake({});
}

test('without any choice it speaks with this machine and keeps a history', () => {
  expect(read({})).toEqual<Settings>({
    servers: [{ host: '127.0.0.1', port: 8080 }],
    server: '127.0.0.1:8080',
    others: [],
    serverFlags: '',
    tls: undefined,
    user: null,
    device: null,
    last: null,
    passwordFile: null,
    passwordCommand: null,
    staysLoggedIn: true,
    theme: 'auto',
    bell: true,
    mouse: true,
    signs: 'auto',
    links: null,
    highlight: [],
    desktop: 'auto',
    notify: null,
    open: null,
    clipboard: 'ask',
    plain: false,
    directory: join(home, '.local/share/milena'),
    file: join(home, '.config/milena/settings.json'),
  });
});

test.each<[Flags, Record<string, string>, Partial<Settings>]>([
  [{}, { MILENA_HOST: 'localhost', MILENA_PORT: '99' }, { server: 'localhost:99' }],
  // The frontend's own variable for "every address".
  [{}, { MILENA_HOST: '0.0.0.0', MILENA_PORT: '99' }, { server: '127.0.0.1:99' }],
  [{}, { MILENA_HOST: '[::]' }, { server: '127.0.0.1:8080' }],
  [{}, { MILENA_HOST: 'localhost', MILENA_SERVER: '127.0.0.2:3' }, { server: '127.0.0.2:3' }],
  [{}, { MILENA_SERVER: ' ' }, { server: '127.0.0.1:8080' }],
  [{ server: '[::1]:9' }, {}, { servers: [{ host: '::1', port: 9 }], server: '[::1]:9' }],
  [{}, { MILENA_HOST: '::1' }, { servers: [{ host: '::1', port: 8080 }], server: '[::1]:8080' }],
  [{}, { MILENA_HOST: '[::1]', MILENA_PORT: '9' }, { server: '[::1]:9' }],
  [{}, { MILENA_HOST: '0:0:0:0:0:0:0:0' }, { server: '127.0.0.1:8080' }],
  [{ server: '[::ffff:127.0.0.1]:9' }, {}, { server: '[::ffff:127.0.0.1]:9' }],
  [
    { server: '[fe80::1%eth0]:9', insecure: true },
    {},
    { servers: [{ host: 'fe80::1%eth0', port: 9 }], server: '[fe80::1%eth0]:9' },
  ],
  [
    { server: 'localhost:1, [::1]:2,,localhost:1' },
    {},
    {
      servers: [
        { host: 'localhost', port: 1 },
        { host: '::1', port: 2 },
      ],
      server: 'localhost:1',
      others: ['[::1]:2'],
    },
  ],
  [{}, { MILENA_SERVER: 'localhost:1,localhost:2' }, { server: 'localhost:1', others: ['localhost:2'] }],
  [{ server: 'localhost:9' }, { MILENA_HOST: 'elsewhere' }, { server: 'localhost:9' }],
  // What former versions took, and what is spoken anyway.
  [{ protocol: '2' }, { MILENA_PROTOCOL: '2' }, { server: '127.0.0.1:8080' }],
  [{ server: 'example.org:9', tls: true }, {}, { tls: {} }],
  [{ server: 'example.org:9' }, { MILENA_TLS: 'true' }, { tls: {} }],
  [{ server: 'example.org:9' }, { MILENA_TLS: '1' }, { tls: {} }],
  [{ server: 'example.org:9', insecure: true }, {}, { tls: undefined }],
  [{ tls: false }, { MILENA_TLS: 'true' }, { tls: undefined }],
  [{ user: 'Alice' }, {}, { user: 'alice' }],
  [{}, { MILENA_THEME: 'mono', MILENA_BELL: 'false', MILENA_PLAIN: 'true' }, { theme: 'mono', plain: true }],
  [{ bell: true }, { MILENA_BELL: '0' }, { bell: true }],
  [{ history: false }, { MILENA_DATA_DIR: '/data' }, { directory: null }],
  [{}, { MILENA_DATA_DIR: '/data' }, { directory: '/data' }],
  [{}, { XDG_DATA_HOME: '/data' }, { directory: '/data/milena' }],
  [{}, { MILENA_PASSWORD_FILE: '/secret' }, { passwordFile: '/secret' }],
  [{}, { MILENA_PASSWORD_FILE: '/secret', MILENA_PASSWORD: 'x' }, { passwordFile: null }],
  [{ 'password-file': '/secret' }, { MILENA_PASSWORD: 'x' }, { passwordFile: '/secret' }],
])('flags %j with %j', (flags, environment, expected) => {
  expect(read(flags, environment)).toMatchObject(expected);
});

test.each([['.'], [''], ['relative/home']])(
  'with the home folder %j nothing is looked for where one stands',
  (HOME) => {
    const here = process.cwd();
    mkdirSync(join(home, 'relative/home/.config/milena'), { recursive: true });
    for (const folder of ['.', 'relative/home']) {
      mkdirSync(join(home, folder, '.config/milena'), { recursive: true });
      writeFileSync(join(home, folder, '.config/milena/settings.json'), '{"user":"evil"}');
    }
    process.chdir(home);
    onTestFinished(() => process.chdir(here));
    const { user, directory, file } = read({}, { HOME });
    expect(user).not.toBe('evil');
    expect(file).toMatch(/^\//);
    expect(directory).toMatch(/^\//);
  },
);

describe('the file', () => {
  test('counts before nothing, the environment before it, and flags before both', () => {
    write({ server: 'localhost:1', user: 'from-file', bell: false, theme: 'dark', protocol: 2 });
    expect(read({})).toMatchObject({ server: 'localhost:1', user: 'from-file', bell: false, theme: 'dark' });
    const environment = { MILENA_USER: 'from-environment', MILENA_THEME: 'light' };
    expect(read({ theme: 'mono' }, environment)).toMatchObject({
      server: 'localhost:1',
      user: 'from-environment',
      theme: 'mono',
    });
  });

  test('has paths relative to itself, or to the home folder', () => {
    write({ passwordFile: 'secret', dataDir: '~/here' });
    expect(read({})).toMatchObject({
      passwordFile: join(home, '.config/milena/secret'),
      directory: join(home, 'here'),
    });
  });

  test('may lie elsewhere, and must be there then', () => {
    const file = join(home, 'other.json');
    writeFileSync(file, '{"user":"bob"}');
    expect(read({}, { MILENA_SETTINGS: file })).toMatchObject({ user: 'bob', file });
    expect(mistake({}, { MILENA_SETTINGS: '/nowhere.json' })).toBe(
      'MILENA_SETTINGS=/nowhere.json: it must be a file of settings, and there is no such file. ' +
        'For example: MILENA_SETTINGS=~/milena/settings.json',
    );
    const pipe = join(home, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(mistake({}, { MILENA_SETTINGS: pipe })).toMatch(
      /it must be a file of settings, and this is none, but a pipe/,
    );
    expect(mistake({ ca: pipe })).toMatch(/it must be a file of certificates, and this is none, but a pipe/);
  });

  test.each<[unknown, RegExp]>([
    [{ sever: 'localhost:1' }, /there is no setting "sever"\. Is "server" meant\?/],
    [{ data_dir: '/x' }, /there is no setting "data_dir"\. Is "dataDir" meant\?/],
    [{ colour: 'red' }, /there is no setting "colour"\. There are: server, user, /],
    [{ password: 'x' }, /a password has no place among the settings .* "passwordFile"/],
    [{ bell: 'yes' }, /"bell": "yes" in .*: it must be true or false\. For example: "bell": false/],
    [
      { server: 'here' },
      /"server": "here" in .*settings\.json, line 1: it must be HOST:PORT\. For example: "server": "/,
    ],
    [
      { protocol: 1 },
      /^"protocol" in .*settings\.json: this client speaks version 2 of the protocol and no other/,
    ],
    [
      { highlight: ' , ' },
      /"highlight": " , " in .*, line 1: it must be words with commas .* "highlight": "deploy,db-3"/,
    ],
    ['{\n"bell": true,\n"notify": "{text}"\n}', /"notify": "\{text\}" in .*, line 3: it must be a program /],
    [{ notify: 'notify-send "{from}' }, /it must be a program .* "notify-send \{from\} \{text\}"/],
    [{ desktop: 'yes' }, /"desktop": "yes" in .*: it must be one of auto, off, /],
    [{ theme: 7 }, /"theme": 7 in .*: it must be one of auto, dark, .*\. For example: "theme": "dark"/],
    ['{ "user": ', /settings\.json: it is no JSON \(.*\)\. For example: \{/],
    ['[]', /settings\.json: it must be one JSON object\./],
  ])('%j is a mistake', (content, text) => {
    write(content);
    expect(mistake({})).toMatch(text);
  });

  test('is never repeated with what may be a secret in it', () => {
    write({ password: 'hunter2', pasword: 'hunter2' });
    expect(mistake({})).not.toContain('hunter2');
  });
});

test.each<[Flags, Record<string, string>, RegExp]>([
  [{ server: 'example.org:9' }, {}, /anybody between .* can read your password .* --tls, or --insecure/],
  [{}, { MILENA_HOST: '192.0.2.1' }, /192\.0\.2\.1 is another machine/],
  [{ server: '[2001:db8::1]:9' }, {}, /2001:db8::1 is another machine/],
  [{ server: 'localhost:1,example.org:9' }, {}, /^example\.org is another machine/],
  [{ server: 'a.example:1,b.example:9' }, {}, /^a\.example, b\.example are other machines/],
  [{ server: '::1' }, {}, /it must be HOST:PORT/],
  [{ server: '::1:8080' }, {}, /it must be HOST:PORT\. For example: .*\[::1\]:8081/],
  [{ server: '[localhost]:8080' }, {}, /it must be HOST:PORT/],
  [{ server: 'localhost:1,elsewhere' }, {}, /it must be HOST:PORT/],
  [{ server: ' , ' }, {}, /it must be HOST:PORT/],
  [
    { server: Array.from({ length: 17 }, (_, at) => `localhost:${at + 1}`).join(',') },
    {},
    /it must be HOST:PORT/,
  ],
  [
    { protocol: '1' },
    {},
    /^--protocol: this client speaks version 2 of the protocol and no other: leave it away\.$/,
  ],
  [{}, { MILENA_PROTOCOL: '1' }, /^MILENA_PROTOCOL: this client speaks version 2 .*: leave it away\.$/],
  [{ server: 'here' }, {}, /--server "here": it must be HOST:PORT\. For example: --server 127\.0\.0\.1:8080/],
  [
    { ca: '/nowhere.pem' },
    {},
    /--ca "\/nowhere\.pem": it must be .*, and there is no such file\. For example: --ca \//,
  ],
  [
    {},
    { MILENA_TLS_CA: '/nowhere.pem' },
    /MILENA_TLS_CA=\/nowhere\.pem: it must be .*, and there is no such file\. .*MILENA_TLS_CA=\//,
  ],
  [{}, { MILENA_TLS: 'perhaps' }, /MILENA_TLS=perhaps: it must be true or false\. .*MILENA_TLS=true/],
  [{}, { MILENA_PORT: 'x' }, /MILENA_PORT=x: it must be a port/],
  [{}, { MILENA_USER: 'no one' }, /MILENA_USER=no one: it must be a username/],
  [{ theme: 'pink' }, { MILENA_BELL: 'x' }, /MILENA_BELL=x: .*\n--theme "pink": /],
])('flags %j with %j are a mistake', (flags, environment, text) => {
  expect(mistake(flags, environment)).toMatch(text);
});

/** For each setting what is no value of it, and may do something to a terminal; none: whatever it is, it is a path. */
const WRONG: Readonly<Record<keyof typeof TABLE, string | null>> = {
  server: 'host\x1b[31m',
  user: 'no\u202eone',
  device: 'my\x1b[2Jphone',
  last: '12\x07',
  passwordFile: null,
  passwordCommand: 'pass "\x1b[2J',
  tls: 'yes\x07',
  ca: '/no\x1b]0;where.pem',
  insecure: 'no\r',
  theme: 'pi\u200enk',
  signs: 'em\x07oji',
  links: 'so\x1b[1mme',
  bell: 'ding\x07dong',
  mouse: 'cat\x1b[31m',
  highlight: 'a\x1b[2Jword',
  desktop: 'growl\x07',
  notify: 'notify-send {\x1bfrom} {who}',
  open: 'firefox {\x1bwho} {who}',
  clipboard: 'may\x07be',
  plain: 'quite\x00',
  history: 'some\x1b[2J',
  stayLoggedIn: 'for ever\x07',
  dataDir: null,
};

describe.each(SETTING_NAMES.filter((name) => WRONG[name] !== null))('a wrong %s', (name) => {
  const value = `${WRONG[name]}x${'y'.repeat(300)}`;
  const { variable, flag, json, example } = TABLE[name];

  test.each([
    ['variable', () => mistake({}, { [variable]: value }), `${variable}=`, `${variable}=${example}`],
    [
      'flag',
      () => mistake({ [flag]: value }),
      `--${flag} `,
      json === 'boolean' ? `--${flag}` : `--${flag} ${example}`,
    ],
    ['file', () => mistakeIn({ [name]: value }), `"${name}": `, `"${name}": `],
  ])('by %s is named, shown safely, and told with what is allowed and an example', (_, read, from, good) => {
    const text = read();
    expect(text.startsWith(from)).toBe(true);
    expect(text).toMatch(/^[\P{C}\n]*$/u);
    expect(text).toContain(String(WRONG[name]).slice(0, 1));
    expect(text).not.toContain('y'.repeat(200));
    expect(text).toMatch(/: it must be /);
    expect(text).toContain(`For example: ${good}`);
  });
});

test.each(['0', '65536', 'x\x1b[2J', '8080.5', '-1'])('MILENA_PORT=%j likewise', (value) => {
  const text = mistake({}, { MILENA_PORT: value });
  expect(text).toMatch(
    /^MILENA_PORT=\P{C}+: it must be a port, .* to 65535\. For example: MILENA_PORT=8080$/u,
  );
});

test('without a server it is the frontend that was started here: at the default address, else the newest', () => {
  const state = join(home, 'state');
  mkdirSync(join(state, 'run'), { recursive: true });
  mkdirSync(join(state, 'cluster'));
  const processes = [1, 2, 3].map(() =>
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)', '--', 'main.js']),
  );
  onTestFinished(() => {
    for (const each of processes) each.kill();
  });
  const [first = 0, second = 0, third = 0] = processes.map(({ pid }) => pid);
  const note = (pid: number, address: string, at: number) => {
    const file = join(state, 'run', `frontend.${pid}`);
    writeFileSync(file, `main.js\n${address}\n\n`);
    utimesSync(file, at, at);
  };
  note(first, '127.0.0.1:1', 1_000);
  note(second, '::1:2', 2_000);
  note(third, '127.0.0.1:3', 3_000);
  writeFileSync(join(state, 'cluster/frontends'), '3\n');
  expect(read({})).toMatchObject({ server: '[::1]:2' });
  note(first, '127.0.0.1:8080', 1_000);
  expect(read({})).toMatchObject({ server: '127.0.0.1:8080' });
  // What somebody says counts before it.
  expect(read({}, { MILENA_PORT: '7' })).toMatchObject({ server: '127.0.0.1:7' });
  write({ server: 'localhost:9' });
  expect(read({})).toMatchObject({ server: 'localhost:9' });
});

test('a file that is no certificate is named at once, not found out as a server that nobody trusts', () => {
  const file = join(home, 'key.pem');
  writeFileSync(file, '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
  expect(mistake({ ca: file })).toMatch(/key\.pem.*, and it holds no certificate.*For example: --ca \//);
});

test('the documentation has a row for every setting, and no other, with what counts unless it is set', () => {
  const text = readFileSync(new URL('../../docs/commands.md', import.meta.url), 'utf8');
  const table = text.slice(text.indexOf('## Settings'));
  const rows = [...table.matchAll(/^\| `(\w+)` \| `--([\w-]+)[^|]*\| `(MILENA_\w+)` \| (?:`([^`]*)`)?/gm)];
  expect(rows.map(([, name, flag, variable]) => [name, flag, variable])).toEqual(
    SETTING_NAMES.map((name) => [name, TABLE[name].flag, TABLE[name].variable]),
  );
  const defaults = rows.flatMap(([, , , variable = '', value]) =>
    value === undefined ? [] : [[variable, value] as const],
  );
  expect(defaults).toHaveLength(13);
  expect(read({}, Object.fromEntries(defaults))).toEqual(read({}));
});
