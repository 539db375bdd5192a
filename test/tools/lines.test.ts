import { describe, expect, it } from 'vitest';
import { LineTooLong, lineBatches, MAX_LINE } from '../../src/tools/lines.ts';

async function* chunksOf(parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield part;
}

async function linesOf(parts: readonly Buffer[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of lineBatches(chunksOf(parts))) lines.push(...batch);
  return lines;
}

const TEXT = 'eins\nzwei ü€😀\r\n\n vier \nohne Ende';
const LINES = ['eins', 'zwei ü€😀', '', ' vier ', 'ohne Ende'];

describe('lineBatches', () => {
  it('cuts whole input, and input that comes byte by byte', async () => {
    const bytes = Buffer.from(TEXT);
    expect(await linesOf([bytes])).toEqual(LINES);
    expect(await linesOf(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(LINES);
  });

  it('cuts it at any place alike', async () => {
    const bytes = Buffer.from(TEXT);
    for (let at = 0; at <= bytes.length; at++) {
      expect(await linesOf([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(LINES);
    }
  });

  it('gives the lines of one chunk together', async () => {
    const batches: string[][] = [];
    for await (const batch of lineBatches(chunksOf([Buffer.from('a\nb\nc'), Buffer.from('d\n')])))
      batches.push(batch);
    expect(batches).toEqual([['a', 'b'], ['cd']]);
  });

  it('ends with nothing for nothing, and makes no line of a last line end', async () => {
    expect(await linesOf([])).toEqual([]);
    expect(await linesOf([Buffer.from('a\n')])).toEqual(['a']);
  });

  it('refuses a line without end before it fills the memory', async () => {
    const piece = Buffer.alloc(64 * 1024, 0x78);
    let given = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        given += piece.length;
        yield piece;
      }
    }
    await expect(async () => {
      for await (const _ of lineBatches(endless()));
    }).rejects.toThrow(LineTooLong);
    expect(given).toBeLessThan(MAX_LINE + 2 * piece.length);
  });
});
