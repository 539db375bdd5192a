import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { demandUtf8 } from '../../../src/terminal/cli/arguments.ts';
import { agreeable, TestServer } from '../../client/test-server.ts';

const LATIN = "$'caf\\xe9'";
const MEANT = "$'caf\\xef\\xbf\\xbd'";
const main = join(import.meta.dirname, '../../../src/terminal/main.ts');
const home = mkdtempSync(join(tmpdir(), 'milena-utf8-'));
afterAll(() => rmSync(home, { recursive: true }));

/** By a shell that can write such bytes: Node itself cannot. */
async function milena(line: string, port = 1): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    MILENA_PASSWORD: 'correct horse',
    MILENA_USER: 'alice',
  };
  const command = `exec "$0" --disable-warning=ExperimentalWarning "$1" ${line} --server 127.0.0.1:${port}`;
  const args = ['-c', command, process.execPath, main];
  const done = promisify(execFile)('bash', args, { env });
  return done.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

describe.skipIf(process.platform !== 'linux')('bytes that are not UTF-8 (needs /proc)', () => {
  test.each([`send bob ${LATIN}`, `send bob hello ${LATIN}`, `search ${LATIN}`])(
    '%s ends with 65',
    async (line) => {
      const { code, stdout, stderr } = await milena(line);
      expect([code, stdout]).toEqual([65, '']);
      expect(stderr).toMatch(/An argument is not UTF-8/);
    },
  );

  test('of a message are an answer as any other', async () => {
    const { code, stdout } = await milena(`send --json bob ${LATIN}`);
    expect(code).toBe(65);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'sent', state: 'refused', to: 'bob' });
  });

  test('are told from the character that stands for them', async () => {
    const server = await TestServer.listen();
    server.behave = agreeable;
    try {
      expect(await milena(`send bob ${MEANT} 'grüße'`, server.port)).toMatchObject({ code: 0 });
      expect(server.asked('send')[0]?.body).toBe('caf\ufffd grüße');
    } finally {
      await server.close();
    }
  });
});

test('where nobody knows the bytes, what may have been replaced is refused with a way round it', () => {
  expect(() => demandUtf8(['caf\ufffd'], () => null)).toThrow(/goes by standard input/);
  expect(() => demandUtf8(['café'], () => null)).not.toThrow();
});
