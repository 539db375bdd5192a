/* Whichever of Kafka's tools the documents name, scripts/kafka-tool.sh has it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../e2e/script.ts';

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
/** Between quotes, and with an option or alone: other words begin so, too. */
const NAMED = /(?<![\w/.-])(?:scripts\/kafka-tool\.sh |kafka-)([a-z]+(?:-[a-z]+)*)(?:\.sh)?(?=`| --)/g;

/** For those who run it; others name files that are called so. */
const DOCUMENTS = [
  'README.md',
  'docs/operations.md',
  'docs/configuration.md',
  'docs/producers.md',
  'docs/security.md',
];

test('each tool of the documents', () => {
  const named = new Set(
    DOCUMENTS.flatMap((name) => [...read(name).matchAll(NAMED)].map(([, tool]) => tool ?? '')),
  );
  named.delete('tool'); // the script itself
  const script = read('scripts/kafka-tool.sh');
  const has = [...script.matchAll(/^ {2}([a-z-]+)\) class=/gm)].map(([, tool]) => tool ?? '');
  const help = /TOOL is one of: ([^.]*)\./
    .exec(script)?.[1]
    ?.replaceAll(/\s*#\s*/g, ' ')
    .split(/,\s*/);
  expect(help).toEqual(has);
  expect(named.size).toBeGreaterThan(5);
  expect(has).toEqual(expect.arrayContaining([...named]));
});
