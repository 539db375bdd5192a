import { describe, expect, it } from 'vitest';
import { parseSearch } from '../../../src/terminal/history/search.ts';
import type { StoredMessage } from '../../../src/terminal/history/types.ts';
import { cells } from '../../../src/terminal/tui/cells.ts';
import { hitOf, hitRows, hitsTitle, searchPage } from '../../../src/terminal/tui/hits.ts';
import { textOf } from '../../../src/terminal/tui/rows.ts';
import { Random } from '../../protocol/random.ts';

const NOON = new Date(2026, 10, 21, 12).getTime();

function message(body: string, part: Partial<StoredMessage> = {}): StoredMessage {
  const peer = { kind: 'user', name: 'bob' } as const;
  return { id: 1, peer, direction: 'in', at: NOON, body, fate: null, highlight: false, ...part };
}

function searchOf(entered: string) {
  const search = parseSearch(entered, 'maria', NOON);
  if (typeof search === 'string') throw new Error(search);
  return search;
}

function pageOf(entered: string, messages: readonly StoredMessage[], count = messages.length) {
  const page = searchPage({ search: searchOf(entered), count, messages });
  if (page === null) throw new Error('nothing is found');
  return page;
}

describe('a hit', () => {
  it('is shown with the line that it stands in', () => {
    const { line, places } = hitOf(message('first line\n  the disk\tis full\nlast'), searchOf('disk').terms);
    expect(line).toBe('the disk is full');
    expect(places.map(({ start, end }) => line.slice(start, end))).toEqual(['disk']);
  });

  it('of words that stand together over the end of a line has those of its own line', () => {
    const { line, places } = hitOf(message('the disk\nfull here'), searchOf('"disk full"').terms);
    expect([line, places.map(({ start, end }) => line.slice(start, end))]).toEqual(['the disk', ['disk']]);
  });

  it('has no more of a long line than what stands around it', () => {
    const { line } = hitOf(
      message(`${'x '.repeat(30_000)}disk${' y'.repeat(30_000)}`),
      searchOf('disk').terms,
    );
    expect(line).toMatch(/^…(x )+disk( y)+$/);
    expect(line.length).toBeLessThan(2_500);
  });

  it('is safe for a terminal, whatever stands around it', () => {
    const { line } = hitOf(message('\u001b[31mred\u202e disk \u0007\u009b'), searchOf('disk').terms);
    expect(line).toBe('␛[31mred disk ␇�');
  });

  it('without words is the beginning', () => {
    expect(hitOf(message('first\nsecond'), searchOf('from:bob').terms)).toMatchObject({
      line: 'first second',
      places: [],
    });
  });
});

describe('rows of hits', () => {
  const texts = (entered: string, messages: readonly StoredMessage[], columns = 80) =>
    hitRows(pageOf(entered, messages), columns, 20, NOON).map((row) => textOf(row).trimEnd());

  it('have date, conversation and the line', () => {
    const day = 86_400_000;
    expect(
      texts('disk', [
        message('a disk'),
        message('another disk', { direction: 'out', at: NOON - day }),
        message('old disk', { peer: { kind: 'external', name: 'cron' }, at: NOON - 400 * day }),
        message('disk of nobody knows when', { at: null }),
      ]),
    ).toEqual([
      '        12:00  bob       a disk',
      ' 20 Nov 12:00  me → bob  another disk',
      '  17 Oct 2025  ext cron  old disk',
      '               bob       disk of nobody knows when',
    ]);
  });

  it('have the hit in sight, however far in its line it stands', () => {
    const body = `${'word '.repeat(30)}disk is full of ${'more '.repeat(30)}`;
    const [row = ''] = texts('disk', [message(body)], 60);
    expect(row).toBe(' 12:00  bob  …word word word disk is full of more more mor…');
    const [narrow = ''] = texts('disk', [message(body)], 24);
    expect(narrow).toBe(' bob  …word disk is fu…');
  });

  it('show what was found, also in the picked one', () => {
    const rows = hitRows(pageOf('disk', [message('a disk'), message('disk b')]), 40, 20, NOON);
    expect(
      rows.map((row) =>
        row.filter(({ role }) => role === 'found' || role === 'strong').map(({ text }) => text),
      ),
    ).toEqual([['disk'], ['disk']]);
    expect(textOf(rows[0] ?? [])).toHaveLength(40);
  });

  it('are as wide as they may be, whatever is in them', () => {
    const random = new Random(3);
    for (let round = 0; round < 300; round++) {
      const body = `${random.text(300)} disk ${random.text(100)}`;
      const part = {
        peer: { kind: 'external', name: random.text(30) },
        at: NOON - random.below(2) * 1e11,
      } as const;
      const columns = 20 + random.below(120);
      for (const row of hitRows(pageOf('disk', [message(body, part)]), columns, 1, NOON)) {
        expect(cells(textOf(row))).toBeLessThanOrEqual(columns);
      }
    }
  });
});

describe('the title', () => {
  it('has the true number, and says where not all are shown', () => {
    const messages = [message('a disk'), message('disk b')];
    expect(hitsTitle(pageOf('disk', messages))).toBe('1 of 2 with disk');
    expect(hitsTitle({ ...pageOf('disk', messages, 100_000), picked: 1 })).toBe(
      '2 of 100,000 with disk · the newest 2',
    );
  });
});
