import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ClientError, type ClientErrorCode } from '../../../src/client/errors.ts';
import { protocolErrorCodes } from '../../../src/protocol/errors.ts';
import { EXIT, EXIT_BY_REFUSAL, exitBySignal, exitOf, failureOf } from '../../../src/terminal/cli/exit.ts';

test('every code of the protocol has an exit code, which the documentation has too', () => {
  const text = readFileSync(new URL('../../../docs/commands.md', import.meta.url), 'utf8');
  const section = text.slice(text.indexOf('## Exit codes'), text.indexOf('## JSON'));
  const documented: Record<string, number> = {};
  for (const [, exit, rest = ''] of section.matchAll(/^\| (\d+) \|(.*)$/gm)) {
    for (const [, code = ''] of rest.matchAll(/`([A-Z_]+)`/g)) documented[code] = Number(exit);
  }
  expect(Object.keys(EXIT_BY_REFUSAL).sort()).toEqual(protocolErrorCodes().sort());
  expect(documented).toEqual(EXIT_BY_REFUSAL);
});

test('the documentation has a row for every exit code', () => {
  const text = readFileSync(new URL('../../../docs/commands.md', import.meta.url), 'utf8');
  const section = text.slice(text.indexOf('## Exit codes'), text.indexOf('## JSON'));
  const rows = [...section.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  expect(rows).toEqual([...Object.values(EXIT), exitBySignal('SIGHUP'), 130, 143]);
});

describe('a request that failed', () => {
  test.each<[ClientErrorCode, number]>([
    ['OFFLINE', 69],
    ['INVALID', 64],
    ['BUSY', 75],
    ['TIMEOUT', 75],
    ['DISCONNECTED', 75],
    ['REFUSED', 70],
  ])('%s ends with %d', (code, exit) => {
    expect(exitOf(new ClientError(code, 'no'))).toBe(exit);
  });

  test('says when it may work, and nothing that acts on a terminal', () => {
    const refusal = { code: 'RATE_LIMITED', retryAfterMs: 1_500 } as const;
    const failure = failureOf(new ClientError('REFUSED', 'Wait.\u001b[2J\n', { refusal }));
    expect(failure).toMatchObject({ code: 75, message: 'Wait.␛[2J Try again in 2 s.' });
  });
});

test('signals end as a shell reports them', () => {
  expect([exitBySignal('SIGHUP'), exitBySignal('SIGINT'), exitBySignal('SIGTERM')]).toEqual([129, 130, 143]);
});
