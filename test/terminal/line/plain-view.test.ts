import { expect, test } from 'vitest';
import { ServerClock } from '../../../src/client/server-clock.ts';
import type { SaidLink } from '../../../src/terminal/chat/display.ts';
import { PlainView } from '../../../src/terminal/line/plain-view.ts';
import type { Prompt } from '../../../src/terminal/line/prompt.ts';

function link(url: string): SaidLink {
  const peer = { kind: 'user', name: 'bob' } as const;
  return { url, message: { id: 1, peer, direction: 'in', at: 1, body: url, fate: null, highlight: false } };
}

/** What is printed of them, and how many are said to be seen. */
function printed(links: readonly SaidLink[], canOpen: boolean): { rows: string[]; seen: number } {
  const rows: string[] = [];
  const prompt: Pick<Prompt, 'print'> = { print: (text) => void rows.push(...text.split('\n')) };
  const nothing = () => undefined;
  const view = new PlainView(prompt as Prompt, nothing, new ServerClock(), nothing);
  const seen = view.links(links, canOpen);
  return { rows, seen };
}

test('on the console our own signs are ASCII, and nobody else’s', () => {
  const rows: string[] = [];
  const prompt: Pick<Prompt, 'print'> = { print: (text) => void rows.push(text) };
  const nothing = () => undefined;
  const view = new PlainView(prompt as Prompt, nothing, new ServerClock(), nothing, 'ascii');
  view.said('info', 'bob ● logged in');
  view.page('What you can type', ['/who NAME…', '↑ ↓ choose · Esc']);
  view.arrived(link('done ✓').message);
  expect(rows.slice(0, 2)).toEqual(['bob * logged in', 'What you can type:\n/who NAME_\n^ v choose - Esc']);
  expect(rows[2]).toMatch(/bob: done ✓$/);
  view.links([link('http://one.example/a…b')], true);
  expect(rows[3]).toContain('1. http://one.example/a…b');
});

test('an address that leads elsewhere than it seems to says so', () => {
  const links = [link('http://bank.example@evil.example/x'), link('http://one.example')];
  expect(printed(links, true)).toEqual({
    rows: [
      '2 addresses, newest first, /open NUMBER opens one:',
      '1. http://bank.example@evil.example/x leads to evil.example',
      '2. http://one.example',
    ],
    seen: 2,
  });
});

test('of many addresses it says how many of them are there', () => {
  const links = Array.from({ length: 25 }, (_, index) => link(`http://a.example/${index}`));
  const { rows, seen } = printed(links, false);
  expect(rows[0]).toBe('25 addresses, the newest 20 of them, newest first:');
  expect(rows).toHaveLength(21);
  expect(seen).toBe(20);
});
