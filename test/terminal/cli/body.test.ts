import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { bodyFrom, bodyOf } from '../../../src/terminal/cli/body.ts';
import { Failure } from '../../../src/terminal/cli/exit.ts';

const LIMIT = 65_280;
const quiet = new AbortController().signal;

function read(...chunks: Buffer[]): Promise<string> {
  return bodyFrom(Readable.from(chunks), quiet);
}

async function failure(work: () => string | Promise<string>): Promise<Failure> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}

test('words become a text with blanks between', () => {
  expect(bodyOf(['disk', 'full on', 'db-3'])).toBe('disk full on db-3');
});

test('a stream gives its text without the line break at its end', async () => {
  expect(await read(Buffer.from('one\ntwo\n'))).toBe('one\ntwo');
  expect(await read(Buffer.from('one\r\n'))).toBe('one');
  expect(await read(Buffer.from('one\n\n'))).toBe('one\n');
  const letter = Buffer.from('ü');
  expect(await read(letter.subarray(0, 1), letter.subarray(1))).toBe('ü');
});

test('a text may be as long as a server takes, and a line break does not count', async () => {
  expect(await read(Buffer.alloc(LIMIT, 'x'), Buffer.from('\r\n'))).toHaveLength(LIMIT);
  expect(bodyOf(['x'.repeat(LIMIT)])).toHaveLength(LIMIT);
});

test.each<[string, () => string | Promise<string>, RegExp]>([
  ['nothing', () => read(), /is empty/],
  ['a line break', () => read(Buffer.from('\n')), /is empty/],
  ['no words', () => bodyOf(['']), /is empty/],
  ['too many bytes', () => read(Buffer.alloc(LIMIT + 1, 'x')), /65281 bytes, where 65280 are allowed/],
  ['far too many', () => read(Buffer.alloc(LIMIT), Buffer.alloc(LIMIT)), /130560 bytes/],
  ['too long words', () => bodyOf(['ü'.repeat(LIMIT)]), /130560 bytes, where 65280 are allowed/],
  ['something else', () => read(Buffer.from([0xff, 0x41])), /not UTF-8/],
  ['half a letter', () => read(Buffer.from('ü').subarray(0, 1)), /not UTF-8/],
])('%s is no text: 65', async (_what, work, text) => {
  expect(await failure(work)).toMatchObject({ code: 65, message: expect.stringMatching(text) });
});

test('an endless stream is given up', async () => {
  const endless = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(1024 * 1024, 'x');
    })(),
  );
  expect(await failure(() => bodyFrom(endless, quiet))).toMatchObject({
    code: 65,
    message: expect.stringMatching(/more than 16777216 bytes/),
  });
});

test('a stream that fails is told: 74', async () => {
  const broken = new Readable({ read: () => void broken.destroy(new Error('unplugged')) });
  expect(await failure(() => bodyFrom(broken, quiet))).toMatchObject({ code: 74 });
});

test('a signal ends the reading', async () => {
  const waiting = new Readable({ read: () => undefined });
  const ending = new AbortController();
  const read = bodyFrom(waiting, ending.signal);
  ending.abort(new Error('told to end'));
  await expect(read).rejects.toThrow('told to end');
});
