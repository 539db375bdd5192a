/** Any Kafka producer can message a person: other people's programs, with what they do by default and with what they can do. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testBrokers } from '../broker/brokers.ts';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { RawClient2 } from '../server/raw-client2.ts';
import { FULL, inFullSize, share } from '../size.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';
import { ALL_CODECS, type AnyCodec, type Mode, type Program, programs } from './programs/programs.ts';

const WORDS = { idempotent: 'be idempotent', commit: 'write in one transaction' };
const found = await programs();
const brokers = testBrokers().join(',');
const LINES = 3_000;
/** Of 110 bytes, all different. */
const lines = (word: string, count = LINES) =>
  Array.from({ length: count }, (_, i) =>
    `${word} ${i} `.padEnd(110, `disk ${i * 7_919} full on db-${i % 17}; `),
  );

let frontend: FrontendHere;
const clients: RawClient2[] = [];

beforeAll(async () => {
  frontend = await openFrontendHere();
});
afterAll(async () => {
  for (const client of clients) client.socket.destroy();
  await frontend?.remove();
});

async function person(): Promise<{ name: string; topic: string; client: RawClient2 }> {
  const client = await RawClient2.connect(frontend.address);
  clients.push(client);
  const name = uniqueName('person');
  await client.create(name, 'correct horse');
  return { name, topic: `milena.inbox.${name}`, client };
}

/** A program that has got its lines and waits for the end of its input. */
class Running {
  readonly #child: ChildProcess;
  said = '';

  constructor(program: Program, topic: string, input: readonly string[], codec: AnyCodec, mode: Mode) {
    const [command, args] = program.command(brokers, topic, codec, mode);
    this.#child = spawn(command, args, { stdio: 'pipe' });
    this.#child.stdin?.on('error', () => {});
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      output?.setEncoding('utf8').on('data', (text: string) => {
        this.said += text;
      });
    }
    this.#child.stdin?.write(`${input.join('\n')}\n`);
    if (mode === 'open') this.#child.stdin?.write('\n');
  }

  async end(): Promise<void> {
    const exited = once(this.#child, 'close');
    this.#child.stdin?.end();
    const [code] = await exited;
    expect(code, this.said).toBe(0);
  }
}

/** Reads on as far as there is anything. */
async function receives(client: RawClient2, wanted: readonly string[]): Promise<void> {
  await eventually(() => {
    if (client.messages.length > 0) client.ack(client.seqs().reduce((a, b) => Math.max(a, b)));
    expect(client.messages.length).toBe(wanted.length);
  });
  expect(client.bodies()).toEqual(wanted);
}

// Each program with each codec, and the other way round, where all is asked for: otherwise of what is a JVM one plain row.
const rows = found.map((program, row) => ({ name: program.name, program, row }));
describe.each(rows)('$name', ({ name, program, row }) => {
  const { missing, modes, isHeavy } = program;
  const some = <Item>(items: readonly Item[], step: number): readonly Item[] =>
    isHeavy ? share(items, step, row) : items;
  const words = missing === null ? '' : ` (${missing})`;
  /** A test of what this program can do. */
  function may(mode: Mode, what: string, test: () => Promise<void>): void {
    if (!modes.includes(mode)) return;
    const isLeft = isHeavy === true && mode !== 'plain' && !FULL;
    it.skipIf(missing !== null || isLeft)(isLeft ? inFullSize(what) : what + words, test);
  }

  for (const codec of some(ALL_CODECS, 5)) {
    may('plain', `brings 3,000 lines in one go, packed by ${codec}`, async () => {
      const to = await person();
      const sent = lines(name);
      await new Running(program, to.topic, sent, codec, 'plain').end();
      await receives(to.client, sent);
      expect(to.client.messages.some(({ verified }) => verified)).toBe(false);
    });
  }

  for (const mode of ['idempotent', 'commit'] as const) {
    may(mode, `brings as many where it is asked to ${WORDS[mode]}`, async () => {
      const to = await person();
      const sent = lines(name);
      await new Running(program, to.topic, sent, 'zstd', mode).end();
      await receives(to.client, sent);
    });
  }

  may('abort', 'may take back what it wrote, and nobody sees it', async () => {
    const to = await person();
    await new Running(program, to.topic, lines(name, 10), 'none', 'abort').end();
    await to.client.send(to.name, 'after');
    await receives(to.client, ['after']);
  });

  may('open', 'may take its time: nobody else waits for it', async () => {
    const to = await person();
    const sent = lines(name, 10);
    const running = new Running(program, to.topic, sent, 'snappy', 'open');
    await eventually(() => expect(running.said).toContain('stored'));
    await to.client.send(to.name, 'meanwhile');
    await receives(to.client, ['meanwhile']);
    await running.end();
    await receives(to.client, ['meanwhile', ...sent]);
  });

  may('large', 'may pack as much into a batch as Kafka takes', async () => {
    const to = await person();
    // Much alike, as the lines of a log are.
    const sent = Array.from({ length: 8_000 }, (_, i) =>
      `line ${i} of a log `.padEnd(125, 'that says the same '),
    );
    for (const codec of ['none', 'zstd'] as const) {
      to.client.messages.length = 0;
      await new Running(program, to.topic, sent, codec, 'large').end();
      await receives(to.client, sent);
    }
  });
});
