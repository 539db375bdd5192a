import { describe, expect, it } from 'vitest';
import { TOOL_EXIT } from '../../src/tools/exit.ts';
import { decideTopic } from '../../src/tools/topic.ts';

const topics = new Set([
  'news',
  'milena.inbox.alice',
  'milena.inbox.news',
  'milena.accounts',
  '__consumer_offsets',
]);
const reading = { inboxPrefix: 'milena.inbox.', writing: false, script: './spawn_consumer.sh' };
const writing = { ...reading, writing: true, script: './spawn_producer.sh' };

describe('decideTopic', () => {
  it('uses what is there, also an inbox, also under a name that is a user too', () => {
    for (const topic of ['news', 'milena.inbox.alice']) {
      expect(decideTopic(topic, topics, reading)).toEqual({ kind: 'use' });
      expect(decideTopic(topic, topics, writing)).toEqual({ kind: 'use' });
    }
  });

  it('creates a missing ordinary topic', () => {
    for (const topic of ['orders', 'a.b.c', 'bob', 'milena.inbox', 'milena.inboxes']) {
      expect(decideTopic(topic, topics, reading)).toEqual({ kind: 'create' });
    }
  });

  it('never an inbox', () => {
    for (const topic of ['milena.inbox.bob', 'milena.inbox.', 'milena.inbox.a.b', 'milena.inbox.Alice']) {
      expect(decideTopic(topic, topics, reading)).toMatchObject({ kind: 'refuse', code: TOOL_EXIT.NO_USER });
      expect(decideTopic(topic, topics, writing)).toMatchObject({ kind: 'refuse', code: TOOL_EXIT.NO_USER });
    }
  });

  it('never a room; one that is there is used', () => {
    for (const topic of ['milena.room.ghost', 'milena.room.']) {
      expect(decideTopic(topic, topics, reading)).toMatchObject({ kind: 'refuse', code: TOOL_EXIT.NO_USER });
      expect(decideTopic(topic, topics, writing)).toMatchObject({ kind: 'refuse', code: TOOL_EXIT.NO_USER });
    }
    expect(decideTopic('milena.room.ops', new Set(['milena.room.ops']), writing)).toEqual({ kind: 'use' });
  });

  it('offers the inbox of a user for a bare name, in any case of letters', () => {
    for (const topic of ['alice', 'Alice']) {
      const decision = decideTopic(topic, topics, writing);
      expect(decision).toMatchObject({ kind: 'refuse', code: TOOL_EXIT.NO_USER });
      expect(decision).toMatchObject({
        reason: expect.stringContaining('./spawn_producer.sh milena.inbox.alice'),
      });
    }
    // With another prefix they are nobody's.
    expect(decideTopic('alice', topics, { ...reading, inboxPrefix: 'x.' })).toEqual({ kind: 'create' });
  });

  it("reads the system's own topics, and neither writes nor creates them", () => {
    expect(decideTopic('milena.accounts', topics, reading)).toEqual({ kind: 'use' });
    expect(decideTopic('milena.accounts', topics, writing)).toMatchObject({
      kind: 'refuse',
      code: TOOL_EXIT.USAGE,
    });
    expect(decideTopic('__consumer_offsets', topics, writing)).toMatchObject({ kind: 'refuse' });
    expect(decideTopic('milena.sessions', topics, reading)).toMatchObject({ kind: 'refuse' });
    expect(decideTopic('__transaction_state', topics, reading)).toMatchObject({ kind: 'refuse' });
  });

  it('refuses what Kafka takes for no name, without repeating it raw', () => {
    for (const topic of ['', '.', '..', 'a b', 'a/b', 'ä', 'x'.repeat(250), 'a\x1b[2J']) {
      const decision = decideTopic(topic, topics, reading);
      expect(decision).toMatchObject({ kind: 'refuse', code: TOOL_EXIT.USAGE });
      if (decision.kind === 'refuse') expect(decision.reason).toMatch(/^\P{Cc}*$/u);
    }
  });
});
