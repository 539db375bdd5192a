import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  Correspondents,
  MAX_CORRESPONDENTS_CHARACTERS,
} from '../../src/storage/kafka/groups/correspondents.ts';

describe('correspondents', () => {
  it('are known when they come back out of a commit, and others are not', () => {
    const people = Array.from({ length: 64 }, () => randomUUID());
    const written = new Correspondents();
    for (const person of people) expect(written.add(person)).toBe(true);
    expect(written.encode()).toHaveLength(MAX_CORRESPONDENTS_CHARACTERS);
    const read = new Correspondents(written.encode());
    for (const person of people) expect(read.has(person)).toBe(true);
    expect(read.has(randomUUID())).toBe(false);
    expect(new Correspondents().has(randomUUID())).toBe(false);
  });

  it('are the last ones: somebody new takes the place of whom nothing was written to for longest', () => {
    const people = Array.from({ length: 65 }, () => randomUUID());
    const [first = '', second = '', ...others] = people;
    const written = new Correspondents();
    for (const person of people.slice(0, 64)) written.add(person);
    // Still spoken to.
    expect(written.add(first)).toBe(true);
    expect(written.add(first)).toBe(false);
    written.add(people[64] ?? '');
    expect(written.has(second)).toBe(false);
    for (const person of [first, ...others]) expect(written.has(person)).toBe(true);
  });

  it.each(['a b', 'ü', '!', '\n'])('are none where %j is written', (text) => {
    expect(new Correspondents(text.repeat(6)).encode()).toBe('');
  });

  it('are no more than may be, whatever is written', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => `tg${1_000 + i}`).join('');
    expect(new Correspondents(many).encode()).toHaveLength(MAX_CORRESPONDENTS_CHARACTERS);
    expect(new Correspondents('abcdef'.repeat(1_000)).encode()).toBe('abcdef');
    expect(new Correspondents('abcdefgh').encode()).toBe('abcdef');
  });
});
