import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadEnvFile } from '../src/config/env-file.ts';
import { ConfigError } from '../src/config/setting-table.ts';
import { ROOT } from './e2e/script.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'milena-env-file-'));
  file = join(folder, '.env');
});
afterEach(() => rmSync(folder, { recursive: true }));

function loaded(environment: Record<string, string | undefined> = {}): Record<string, string | undefined> {
  loadEnvFile(file, environment);
  return environment;
}

describe('.env of a frontend that is started without the scripts', () => {
  it.each([
    ['as it is', '# first\nMILENA_PORT=1\nMILENA_HOST="::1"\n'],
    ['with CRLF', '# first\r\nMILENA_PORT=1\r\nMILENA_HOST="::1"\r\n'],
    ['with a BOM', '\ufeffMILENA_PORT=1\nMILENA_HOST=::1'],
    ['with both', "\ufeffMILENA_PORT=1\r\nMILENA_HOST='::1'\r\n"],
  ])('%s', (_, text) => {
    writeFileSync(file, text);
    expect(loaded()).toEqual({ MILENA_PORT: '1', MILENA_HOST: '::1' });
    expect(loaded({ MILENA_PORT: '2' })).toEqual({ MILENA_PORT: '2', MILENA_HOST: '::1' });
  });

  it('says which lines are not what they may be meant for', () => {
    const lines = [
      '# first',
      'MILENA_PORT 8081',
      '',
      'export MILENA_TLS_CERT=~/cert.pem',
      'A="one line"',
      'B',
    ];
    writeFileSync(file, lines.join('\n'));
    const said = loadEnvFile(file, {});
    expect(said).toEqual([
      expect.stringMatching(/\.env, line 2 is not NAME=value/),
      expect.stringMatching(/\.env, line 4 has a ~, which is not your home/),
      expect.stringMatching(/\.env, line 6 is not NAME=value/),
    ]);
  });

  it('is looked at so by the scripts, too', () => {
    writeFileSync(file, '# first\nMILENA_PORT 8081\nOTHER=1\nMILENA_TLS_CERT=~/cert.pem\n');
    const script =
      '. scripts/env-file.sh; load_env_file "$1"; load_env_file "$1"; printf "%s" "$MILENA_TLS_CERT$ENV_FILE_NAMES"';
    const done = spawnSync('bash', ['-c', script, '-', file], {
      ...{ cwd: ROOT, encoding: 'utf8' },
      env: { PATH: process.env.PATH, HOME: '/home/anna' },
    });
    expect(done.stdout).toBe('~/cert.pem MILENA_TLS_CERT ');
    expect(done.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/\.env, line 2 is not NAME=value/),
      expect.stringMatching(/\.env, line 4: .* {2}MILENA_TLS_CERT=\/home\/anna\/cert\.pem$/),
    ]);
  });

  it.each([
    ['"', 'MILENA_HOST="a\nb"\n'],
    ["'", "OTHER='a\nMILENA_HOST=b'\n"],
    ['`', 'export MILENA_HOST = `a\nb`'],
    ['"', 'MILENA_HOST="a\n'],
  ])('has no values of several lines, in %s, for the scripts neither', (_, text) => {
    writeFileSync(file, text);
    const sentence = `${file}, line 1: a quoted value must end on the line where it begins.`;
    expect(() => loaded()).toThrow(new ConfigError(sentence));
    const script = '. scripts/env-file.sh; load_env_file "$1"';
    const done = spawnSync('bash', ['-c', script, '-', file], { cwd: ROOT, encoding: 'utf8' });
    expect(done).toMatchObject({ status: 64, stderr: `${sentence}\n` });
  });

  it('may be missing', () => expect(loaded()).toEqual({}));

  it.each<[string, () => void]>([
    ['a folder', () => mkdirSync(file)],
    ['a link that leads nowhere', () => symlinkSync(join(folder, 'made'), file)],
    ['a link to itself', () => symlinkSync(file, file)],
    ['UTF-16', () => writeFileSync(file, '\ufeffMILENA_PORT=1\n', 'utf16le')],
    ['UTF-16 without its mark', () => writeFileSync(file, 'MILENA_PORT=1\n', 'utf16le')],
    ['Latin-1', () => writeFileSync(file, 'MILENA_HOST=b\u00fcro\n', 'latin1')],
  ])('that is %s is not passed over', (_, make) => {
    make();
    expect(() => loaded()).toThrow(ConfigError);
    expect(() => loaded()).toThrow(/\.env: it must be .*, and .*\. For example: MILENA_PORT=8080$/);
  });
});
