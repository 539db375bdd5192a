import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { newDirectory, open, SERVER } from './harness.ts';

const WRITER = join(import.meta.dirname, 'writer.ts');
const outcome = z.object({ problems: z.array(z.string()), ids: z.array(z.number()) });

async function write(directory: string, name: string, milliseconds: number) {
  const args = [WRITER, directory, SERVER, name, `${milliseconds}`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return outcome.parse(JSON.parse(stdout));
}

test('processes that write at once: a new file, no loss, ids for everybody', async () => {
  const directory = newDirectory();
  const names = ['ann', 'bob', 'cy'];
  const outcomes = await Promise.all(names.map((name) => write(directory, name, 3_000)));
  expect(outcomes.flatMap(({ problems }) => problems)).toEqual([]);
  const all = outcomes.flatMap(({ ids }) => ids);
  expect(new Set(all).size).toBe(all.length);
  const history = open(directory);
  for (const [at, name] of names.entries()) {
    const ids = outcomes[at]?.ids ?? [];
    // In turns: nobody is kept from writing.
    expect(ids.length).toBeGreaterThan(all.length / names.length / 3);
    expect([...history.all({ kind: 'user', name })].map(({ id }) => id)).toEqual(ids);
    expect(history.conversation({ kind: 'user', name })).toMatchObject({
      unread: ids.length,
      lastId: ids.at(-1),
    });
  }
});
