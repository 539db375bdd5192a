/** What starts the broker again: after a death, with growing pauses, and not when it was asked to end. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runScript } from './script.ts';

/** Runs a program that ends with these codes, one after the other. */
async function keep(
  ...codes: readonly number[]
): Promise<{ code: number | null; times: number; said: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'milena-keep-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [pid, count] = [join(folder, 'pid'), join(folder, 'count')];
  const program = `[ "$(cat "${pid}")" = $$ ] && echo x >>"${count}"; set -- ${codes.join(' ')}
    shift $(($(wc -l <"${count}") - 1)); exit $1`;
  // The pid is written down just after the program was started.
  const waits = `until [ -f "${pid}" ] && [ "$(cat "${pid}")" = $$ ]; do :; done`;
  const args = [pid, 'bash', '--norc', '-c', `${waits}; ${program}`];
  const { code, stdout } = await runScript('scripts/keep-running.sh', args);
  const times = existsSync(count) ? readFileSync(count, 'utf8').length / 2 : 0;
  return { code, times, said: stdout };
}

it('starts it again when it has died, later each time', async () => {
  const { code, times, said } = await keep(3, 137, 0);
  expect({ code, times }).toEqual({ code: 0, times: 3 });
  expect(said).toMatch(/code 3; it is started again in 1 s[\s\S]*code 137; it is started again in 2 s/);
});

it.each([0, 130, 143])('leaves it when it ended with %i: it was asked to', async (asked) => {
  expect(await keep(asked, 3)).toEqual({ code: asked, times: 1, said: '' });
});
