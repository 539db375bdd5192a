import { describe, expect, it } from 'vitest';
import {
  Correspondents,
  MAX_CORRESPONDENTS_CHARACTERS,
} from '../../src/storage/kafka/groups/correspondents.ts';
import { newUuid } from '../../src/util/uuid.ts';

describe('correspondents', () => {
  it('are known when they come back out of a commit, and others are not', () => {
    const people = Array.from({ length: 64 }, newUuid);
    const written = new Correspondents();
    for (const person of people) expect(written.add(person)).toBe(true);
    expect(written.encode()).toHaveLength(MAX_CORRESPONDENTS_CHARACTERS);
    const read = new Correspondents(written.encode());
    for (const person of people) expect(read.has(person)).toBe(true);
    expect(read.has(newUuid())).toBe(false);
    expect(new Correspondents().has(newUuid())).toBe(false);
  });

  it('are written as the first 36 bits of each, in base64url', () => {
    const written = new Correspondents();
    for (const hex of ['00112233445566778899aabbccddeeff', 'ffeeddccbbaa99887766554433221100'])
      written.add(Buffer.from(hex, 'hex'));
    expect(written.encode()).toBe('ABEiM0_-7dzL');
    expect(new Correspondents('ABEiM0').has(Buffer.from('001122334fffffffffffffffffffffff', 'hex'))).toBe(
      true,
    );
    expect(new Correspondents('ABEiM0').has(Buffer.from('001122335fffffffffffffffffffffff', 'hex'))).toBe(
      false,
    );
  });

  it('are the last ones: somebody new takes the place of whom nothing was written to for longest', () => {
    const people = Array.from({ length: 65 }, newUuid);
    const [first = newUuid(), second = newUuid(), ...others] = people;
    const written = new Correspondents();
    for (const person of people.slice(0, 64)) written.add(person);
    // Still spoken to.
    expect(written.add(first)).toBe(true);
    expect(written.add(first)).toBe(false);
    written.add(people[64] ?? newUuid());
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
