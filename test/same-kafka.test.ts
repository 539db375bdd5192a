import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { ROOT } from './e2e/script.ts';

it.each([
  ['localhost:9092', '127.0.0.1:9092', true],
  ['LocalHost:9092', '[::1]:9092', true],
  ['a:1,b:2,c:3', 'B:2', true],
  ['a:1, b:2', ' b:2', true],
  ['a:1,b:2', 'a:2,b:1', false],
  ['a:1', 'a:11', false],
  ['a.b:1', 'axb:1', false],
  ['localhost:1', 'localhost.example:1', false],
])('%j and %j are addresses of the same Kafka: %j', (one, other, isSame) => {
  const script = '. scripts/same-kafka.sh; same_kafka "$1" "$2" && same_kafka "$2" "$1"';
  const done = spawnSync('bash', ['-c', script, '-', one, other], { cwd: ROOT, encoding: 'utf8' });
  expect(done).toMatchObject({ status: isSame ? 0 : 1, stderr: '' });
});
