import { describe, expect, it } from 'vitest';
import { masked } from './client-terminal.ts';

describe('a row of the screen, masked', () => {
  it.each([
    ['milena · anngabcde  127.0.0.1:54321', 'milena · ann······  127.0.0.1:PPPPP'],
    ['12:00  anngabcde  hello', 'hh:mm  ann······  hello'],
    ['/login anngabc…', '/login ann····…'],
    ['/login anng…', '/login ann·…'],
    // What somebody else wrote is not the name because it begins as the name does.
    ['▸ anngpj        ext', '▸ anngpj        ext'],
    ['anngabcd', 'anngabcd'],
    ['ann…', 'ann…'],
  ])('%s', (row, expected) => {
    expect(masked(row, ['anngabcde'])).toBe(expected);
  });
});
