/* No sentence of docs/protocol.md, and no row of its tables, is without a test or a reason. */
import { describe, expect, it } from 'vitest';
import { isQuoted, quoted, sentences } from './sentences.ts';

/** What no test of this folder holds, and why. */
const REASONS = new Map<string, readonly string[]>([
  [
    'what a client does, for its own good',
    [
      'All text from the other end may hold escape sequences, bidirectional controls and line breaks: clean it before it reaches a terminal.',
      'Keep each message with its id until it is answered.',
      'When the connection is lost, or the answer is a failure worth another try,',
      'To keep the order, nothing may overtake an unanswered send to the same recipient: send one, wait for its answer.',
      'Acknowledge a message when the person has it, or it is on disk.',
      'Show each once: drop a verified message whose (`fromIncarnation`, `id`) one has seen, and any other whose (`inbox`, `seq`) one has seen;',
      'Remember 10,000 or more of them for each inbox, also over restarts.',
      '**Acknowledge dropped ones, too.**',
      "Don't log in again by yourself after it.",
      'A client that has heard nothing for that long sends a ping;',
      'without a pong in time, the connection is dead.',
      '**Goodbye or loss**: connect again after `retryAfterMs`, or with growing pauses and some chance in them.',
    ],
  ],
  [
    'words that every test here uses',
    [
      'The same frame with version 2 and the same opcodes, payloads in CBOR.',
      '*ms* an int of milliseconds, *time* one since 1970-01-01T00:00Z;',
    ],
  ],
  [
    'about a server that can less than this one',
    ['What is not among them gets BAD_REQUEST, or changes nothing.'],
  ],
  [
    'test/kafka/cut-log.test.ts: where a log is cut',
    [
      '| | `again?` | int | Kafka had lost a part of the inbox: messages come with so many `seq` that the client has acknowledged before, and some of them may be ones that it has |',
    ],
  ],
  ['this server has no reason to say it', ['| | `retryAfterMs?` | ms | connect again not before |']],
  [
    'test/server/tls.test.ts',
    [
      'Except on loopback the connection is TLS 1.3, unless the operator has chosen otherwise: nothing below hides a password.',
    ],
  ],
]);

describe('docs/protocol.md', () => {
  const reasons = [...REASONS.values()].flat();

  it('has sentences and rows', () => expect(sentences().length).toBeGreaterThan(200));

  it('has none that nothing holds', () => {
    const quotes = [...quoted(), ...reasons];
    expect(sentences().filter((sentence) => !isQuoted(sentence, quotes))).toEqual([]);
  });

  it('still has each that needs no test', () => {
    const text = sentences().join(' ');
    for (const sentence of reasons) expect(text).toContain(sentence);
  });
});
