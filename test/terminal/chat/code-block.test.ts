import { expect, test } from 'vitest';
import { lastCodeBlock } from '../../../src/terminal/chat/code-block.ts';

test.each<[string, string | null]>([
  ['no code', null],
  ['', null],
  ['```\na\n```', 'a'],
  ['text\n```ts\n\ta\n\n  b \n```\nmore', '\ta\n\n  b '],
  ['```\na\n```\n```\nb\n```', 'b'],
  ['```\na\n```\n```\n```', 'a'],
  ['~~~\n```\na\n```\n~~~', '```\na\n```'],
  ['````\n```\na\n````', '```\na'],
  ['   ```\na\n  ```', 'a'],
  ['    ```\na', null],
  ['```\nnever closed\n', 'never closed\n'],
  ['```\na\n``` not closed', 'a\n``` not closed'],
  ['```in a line``` and on', null],
  ['```', null],
])('%j has %j', (text, code) => expect(lastCodeBlock(text)).toBe(code === null ? null : code));

test('takes no longer for a hostile text', () => {
  const began = performance.now();
  expect(lastCodeBlock(`${'`'.repeat(60_000)}\n${'```\n'.repeat(20_000)}`)).not.toBeNull();
  expect(performance.now() - began).toBeLessThan(500);
});
