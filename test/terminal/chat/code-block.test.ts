import { expect, test } from 'vitest';
import { lastCodeBlock } from '../../../src/terminal/chat/outside.ts';
import { growth } from '../growth.ts';

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
  ['```\nnever closed\n', 'never closed'],
  ['```\na\n``` not closed', 'a\n``` not closed'],
  ['```in a line``` and on', null],
  ['```', null],
  ['```\r\nrm x\r\n```\r\n', 'rm x'],
  ['```\nrm x\r\n```', 'rm x'],
  ['```\nrm x\n\n```', 'rm x'],
  ['```\nrm x\n\n\n', 'rm x'],
  ['```\nrm x\n \t\n```', 'rm x'],
  ['```\ra\v\fb\u0085c\u2028\u2029```', 'a\n\nb\nc'],
  ['```\na\n```\n```\n\r\n```', 'a'],
  ['```\n\n\n```', null],
])('%j has %j', (text, code) => expect(lastCodeBlock(text)).toBe(code === null ? null : code));

test.each<[string, (size: number) => string]>([
  ['long fences', (size) => `${'`'.repeat(3 * size)}\n${'```\n'.repeat(size)}`],
  ['fences of more and more signs', (size) => '```\na\n````\n'.repeat(size)],
  ['empty lines at the end', (size) => `\`\`\`\na${'\n'.repeat(10 * size)}`],
])('takes no longer for %s than it has to', (_, text) => {
  const texts = new Map([2_000, 32_000].map((size) => [size, text(size)]));
  expect(growth((size) => void lastCodeBlock(texts.get(size) ?? ''), 2_000, 16)).toBeLessThan(100);
});
