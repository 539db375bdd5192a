import { expect, it } from 'vitest';
import { askByNode } from '../../src/storage/kafka/wire/by-node.ts';

it('many names are asked about once each, with one request for each broker', async () => {
  const asked: (readonly [number, readonly string[]])[] = [];
  const found = await askByNode<string>(['alice', 'bob', 'alice', 'carol', 'bob'], {
    nodeOf: async (name) => (name === 'carol' ? 2 : 1),
    ask: async (node, names, into) => {
      asked.push([node, names]);
      if (node === 2) throw new Error('no answer');
      for (const name of names) into.set(name, name.toUpperCase());
    },
    forget: () => {},
  });
  expect(asked).toEqual([
    [1, ['alice', 'bob']],
    [2, ['carol']],
  ]);
  expect(Object.fromEntries(found)).toEqual({ alice: 'ALICE', bob: 'BOB', carol: new Error('no answer') });
});
