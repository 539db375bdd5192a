import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { protocolErrors } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { KafkaCode, KafkaError, nameOfCode } from '../../src/storage/kafka/wire/kafka-error.ts';
import { meaningOf } from '../../src/storage/kafka/wire/kafka-meaning.ts';
import { javaCommand, javaUsable, kafkaClassPath } from '../broker/java.ts';

const hasJava = await javaUsable();
const CODES = Object.values(KafkaCode);

describe('error codes of Kafka', () => {
  it.skipIf(!hasJava)('are all those that the brokers know (asked of Kafka itself: needs Java)', async () => {
    const classPath = await kafkaClassPath();
    const errors = 'org.apache.kafka.common.protocol.Errors';
    const { stdout } = await promisify(execFile)(javaCommand(), ['-Xmx64m', '-cp', classPath, errors]);
    // A table: <td>NAME</td> <td>CODE</td> and more
    const rows = [...stdout.matchAll(/<td>([A-Z_]+)<\/td>\s*<td>(-?\d+)<\/td>/g)];
    const theirs = Object.fromEntries(rows.map(([, name, code]) => [name, Number(code)]));
    expect(Object.keys(theirs).length).toBeGreaterThan(130);
    expect({ ...KafkaCode }).toEqual(theirs);
  });

  it('are at least those of the library', () => {
    const theirs = Object.values(protocolErrors).map(({ id, code }) => [id, code]);
    expect({ ...KafkaCode }).toMatchObject(Object.fromEntries(theirs));
  });

  it.each(CODES)('say something of %i, and what to do', (code) => {
    const { name, says, remedy } = meaningOf(code);
    expect(name).toMatch(/^[A-Z_]+$/);
    expect(says).toMatch(/^[A-Z].*\.$/);
    expect(remedy).toMatch(/^[A-Z`].*\.$/);
  });

  it('do not hide one that a newer Kafka has', () => {
    expect(nameOfCode(9_999)).toBe('error 9999');
    const error = new KafkaError('Fetch milena.accounts', 9_999);
    expect(error.message).toMatch(/^Fetch milena.accounts: error 9999\. .*newer Kafka/);
    expect(error.remedy).not.toBe('');
  });

  it('of a missing right lead to what names it', () => {
    for (const [name, code] of Object.entries(KafkaCode)) {
      if (!/^(TOPIC|GROUP|CLUSTER|TRANSACTIONAL_ID)_AUTHORIZATION_FAILED$/.test(name)) continue;
      expect(meaningOf(code).remedy).toContain('milena doctor --kafka');
    }
  });
});
