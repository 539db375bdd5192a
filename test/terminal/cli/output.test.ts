import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { Output, ReaderGone } from '../../../src/terminal/cli/output.ts';

const quiet = new AbortController().signal;

/** A stream that ends each write in an error. */
function failing(code: string): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(`write ${code}`), { code })),
  });
}

test('a write resolves when the stream has taken it, not before', async () => {
  const taken: (() => void)[] = [];
  const slow = new Writable({ write: (_chunk, _encoding, done) => void taken.push(done) });
  let written = false;
  const writing = new Output(slow, quiet).line('x').then(() => {
    written = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(written).toBe(false);
  taken[0]?.();
  await writing;
});

test('a reader that is gone is told at every write', async () => {
  const output = new Output(failing('EPIPE'), quiet);
  await expect(output.write('x')).rejects.toThrow(ReaderGone);
  await expect(output.write('x')).rejects.toThrow(ReaderGone);
});

test('any other error is one: 74', async () => {
  await expect(new Output(failing('ENOSPC'), quiet).write('x')).rejects.toMatchObject({ code: 74 });
});

test('a signal ends the wait for a reader that takes nothing', async () => {
  const ending = new AbortController();
  const stuck = new Writable({ write: () => undefined });
  const writing = new Output(stuck, ending.signal).write('x');
  ending.abort(new Error('told to end'));
  await expect(writing).rejects.toThrow('told to end');
  await expect(new Output(new PassThrough(), ending.signal).write('x')).rejects.toThrow('told to end');
});
