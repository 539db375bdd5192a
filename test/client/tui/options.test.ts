import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Options, parseOptions, type ServerChoice } from '../../../src/client/tui/options.ts';

const HERE: ServerChoice = { address: { host: '127.0.0.1', port: 8080 }, protocol: 2, tls: undefined };

test.each<[string[], Record<string, string>, Partial<ServerChoice>]>([
  [[], {}, {}],
  [[], { MILENA_HOST: 'localhost', MILENA_PORT: '99' }, { address: { host: 'localhost', port: 99 } }],
  [['--server', '[::1]:9'], {}, { address: { host: '::1', port: 9 } }],
  [['--server=localhost:9'], { MILENA_HOST: 'elsewhere' }, { address: { host: 'localhost', port: 9 } }],
  [['--protocol', '1'], {}, { protocol: 1 }],
  [['--server', 'example.org:9', '--tls'], {}, { address: { host: 'example.org', port: 9 }, tls: {} }],
  [
    ['--server', 'example.org:9'],
    { MILENA_TLS: 'true' },
    { address: { host: 'example.org', port: 9 }, tls: {} },
  ],
  [['--server', 'example.org:9', '--insecure'], {}, { address: { host: 'example.org', port: 9 } }],
  [
    ['--server', 'example.org:9', '--protocol=1'],
    {},
    { address: { host: 'example.org', port: 9 }, protocol: 1 },
  ],
])('%j with %j', (args, environment, choice) => {
  expect(parseOptions(args, environment)).toEqual<Options>({ type: 'chat', server: { ...HERE, ...choice } });
});

test.each<[string[], Record<string, string>, RegExp]>([
  [['--server', 'example.org:9'], {}, /anybody between .* can read your password .* --tls, or --insecure/],
  [[], { MILENA_HOST: '192.0.2.1' }, /192\.0\.2\.1 is another machine/],
  [['--protocol', '3'], {}, /neither 1 nor 2/],
  [['--password', 'x'], {}, /no option "--password"/],
  [['--dance=now'], {}, /no option "--dance=now"/],
  [['tango'], {}, /no option "tango"/],
  [['--server'], {}, /--server/],
  [['--server', 'here'], {}, /not HOST:PORT/],
  [['--ca', '/nowhere.pem'], {}, /there is no such file/],
  [[], { MILENA_TLS: 'perhaps' }, /neither true nor false/],
  [[], { MILENA_PORT: 'x' }, /MILENA_PORT=x is no port/],
])('%j with %j is a mistake', (args, environment, text) => {
  expect(parseOptions(args, environment)).toEqual({ type: 'mistake', text: expect.stringMatching(text) });
});

test('a file that is no certificate is named at once, not found out as a server that nobody trusts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'milena-options-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'key.pem');
  writeFileSync(file, '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
  expect(parseOptions(['--ca', file], {})).toEqual({
    type: 'mistake',
    text: expect.stringMatching(/no certificate/),
  });
});
