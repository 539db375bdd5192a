import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testBrokers } from '../broker/brokers.ts';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { witness } from '../kafka/cluster.ts';
import { Random } from '../protocol/random.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { Wanderer } from './wanderer.ts';

const PASSWORD = 'correct horse battery staple';

describe('whoever reads the topics of accounts and sessions', () => {
  let frontend: RunningFrontend;

  beforeAll(async () => {
    await built();
    frontend = await RunningFrontend.start({ MILENA_KAFKA_BROKERS: testBrokers().join(',') });
  });
  afterAll(() => frontend.remove());

  it('finds no password and no token in them, nor in the log', async () => {
    const person = new Wanderer(uniqueName('secretive'), [frontend.address], new Random(1), PASSWORD);
    await person.enter('create');
    const first = person.token;
    person.cut();
    await person.enter('login');
    const tokens = [first, person.token].map((token) => Buffer.from(token ?? []));
    expect(tokens.map(({ length }) => length)).toEqual([32, 32]);

    const stolen: Record<string, Buffer[]> = { 'milena.accounts': [], 'milena.sessions': [] };
    const consumer = witness().consumer({ groupId: uniqueName('thief') });
    await consumer.connect();
    await consumer.subscribe({ topics: Object.keys(stolen), fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ topic, message }) => {
        if (message.key?.toString() === person.name && message.value) stolen[topic]?.push(message.value);
      },
    });
    await eventually(() => expect(stolen['milena.sessions']?.length).toBeGreaterThanOrEqual(2));
    await eventually(() => expect(stolen['milena.accounts']).toHaveLength(1));
    await consumer.disconnect();
    expect(stolen['milena.accounts']?.toString()).toContain('$argon2id$');

    const everything = [...Object.values(stolen).flat(), Buffer.from(frontend.stdout + frontend.stderr)];
    const secrets = [Buffer.from(PASSWORD), ...tokens].flatMap((secret) => [
      secret,
      ...(['hex', 'base64', 'base64url'] as const).map((encoding) => Buffer.from(secret.toString(encoding))),
    ]);
    for (const secret of secrets) expect(everything.some((bytes) => bytes.includes(secret))).toBe(false);
    person.cut();
  });
});
