/** Small batches that unpack to hundreds of MiB, in each codec and on each topic: nobody unpacks them, and nobody stops at them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Admin, ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { encodeContent } from '../../src/storage/kafka/wire/record-batch.ts';
import { MAX_UNPACKED_BYTES } from '../../src/storage/kafka/wire/unpack.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { startBroker } from '../broker/broker.ts';
import { javaCommand, javaUsable, kafkaClassPath, quickStart } from '../broker/java.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { makeTopics } from '../broker/topics.ts';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { CODECS, type Codec, packedBatch, rawBatch, records, zeros } from '../kafka/packed.ts';
import { appendRaw } from '../kafka/raw-append.ts';
import { RawClient2 } from '../server/raw-client2.ts';
import { FULL, inFull, sized } from '../size.ts';
import { peakOf } from './peak.ts';
import { built, RunningFrontend } from './running-frontend.ts';

const MIB = 1024 * 1024;
/** As large as fits into 128 KiB when packed; snappy packs to a twentieth at best. */
const UNPACKED_MIB: Readonly<Record<Codec, number>> = { gzip: 100, snappy: 2.5, lz4: 30, zstd: 400 };
const BOMBS = sized(2, 8);
const PASSWORD = 'correct horse';
/** Without Java there is no Kafka producer of Kafka's own to ask. */
const hasJava = await javaUsable();

describe('bombs', () => {
  const bombs = new Map(
    CODECS.map((codec) => [codec, packedBatch(zeros(UNPACKED_MIB[codec] * MIB), 1, codec)]),
  );
  let broker: TestBroker;
  let raw: Cluster;
  let admin: Admin;
  let frontend: RunningFrontend;
  let settings: Record<string, string>;

  beforeAll(async () => {
    await built();
    // What a small heap holds a lent one's does as well.
    broker = FULL ? await startBroker({ heap: '256m' }) : await borrowBroker();
    const brokers = [broker.brokers];
    raw = new Cluster({ bootstrap: brokers, clientId: 'crafted' });
    await raw.connect();
    admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    // As an earlier version made it.
    await makeTopics(admin, [{ topic: 'milena.notices', configEntries: UNCOMPRESSED }]);
    // What was delivered is removed after 3.6 s.
    settings = { MILENA_KAFKA_BROKERS: broker.brokers, MILENA_HISTORY_HOURS: '0.001' };
    frontend = await RunningFrontend.start(settings);
  });
  afterAll(async () => {
    await frontend.remove();
    await admin.disconnect();
    await raw.close();
    await broker.stop();
  });

  const inboxOf = (name: string) => `milena.inbox.${name}`;

  const write = (topic: string, bytes: Buffer): Promise<number> => appendRaw(raw, topic, bytes);

  /** Sets these, and gives what is not named its default, as this kind of request does: but for times, which signatures need. */
  async function set(topic: string, others: { name: string; value: string }[]): Promise<void> {
    const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }, ...others];
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    });
  }

  async function settingOf(topic: string, name: string): Promise<string | undefined> {
    const configNames = [name];
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames }],
    });
    return resources[0]?.configEntries[0]?.configValue;
  }

  async function person(at = frontend): Promise<{ name: string; client: RawClient2 }> {
    const name = uniqueName('target');
    const client = await RawClient2.connect(at.address);
    await client.create(name, PASSWORD);
    return { name, client };
  }

  /** What a raw producer writes into an inbox comes out. */
  async function delivers(
    to: { name: string; client: RawClient2 },
    body: string,
    codec?: Codec,
  ): Promise<void> {
    const content = records([encodeContent({ key: 'friend', value: Buffer.from(body), headers: [] })]);
    expect(await write(inboxOf(to.name), packedBatch(content, 1, codec ?? 'gzip'))).toBe(0);
    await eventually(() => expect(to.client.messages.map((message) => message.body)).toContain(body));
  }

  const peak = () => peakOf(frontend.child.pid ?? -1);

  it('are not for topics of an earlier version either: these are brought to what they must be set to', async () => {
    expect(await settingOf('milena.notices', 'compression.type')).toBe('producer');
    const { name } = await person();
    await set(inboxOf(name), [...UNCOMPRESSED, { name: 'max.message.bytes', value: '131072' }]);
    await set('milena.accounts', [{ name: 'compression.type', value: 'producer' }]);
    const other = await RunningFrontend.start(settings);
    await eventually(async () => expect(await settingOf(inboxOf(name), 'compression.type')).toBe('producer'));
    expect(await settingOf(inboxOf(name), 'max.message.bytes')).toBe('1048588');
    expect(await settingOf('milena.accounts', 'compression.type')).toBe('uncompressed');
    expect(other.hasLogged('settings of topics changed')).toBe(true);
    await other.remove();
  });

  it('in an inbox and among the notices leave broker and frontend as they are, and what comes next arrives', async () => {
    const to = await person();
    const before = peak();
    for (const [codec, bomb] of bombs) {
      for (let i = 0; i < BOMBS; i++) {
        expect([codec, await write(inboxOf(to.name), bomb)]).toEqual([codec, 0]);
        expect(await write('milena.notices', bomb)).toBe(0);
      }
      await delivers(to, `after ${codec}`, codec);
    }
    expect(peak() - before).toBeLessThan(150);
    // What was delivered is removed in time, without that the broker has to look for times in what it keeps.
    const [first, last] = [to.client.seqs()[0] ?? -1, to.client.seqs().at(-1) ?? -1];
    to.client.write({ type: 'ack', ranges: [[first, last]] });
    const start = async () => Number((await admin.fetchTopicOffsets(inboxOf(to.name)))[0]?.low);
    await eventually(async () => expect(await start()).toBe(last + 1));
    expect(await broker.log()).not.toContain('OutOfMemoryError');
  });

  it.skipIf(!hasJava || !FULL)(
    `are told from what Kafka's own producer packs, in each codec${FULL ? '' : ' (in the full size)'}`,
    async () => {
      const to = await person();
      for (const codec of CODECS) {
        const lines = Array.from({ length: 300 }, (_, i) => `${codec} ${i}`);
        const tool = ['org.apache.kafka.tools.ConsoleProducer', '--bootstrap-server', broker.brokers];
        const java = spawn(javaCommand(), [
          ...['-Xmx128m', ...quickStart(), '-cp', await kafkaClassPath()],
          ...[...tool, '--topic', inboxOf(to.name), '--compression-codec', codec],
        ]);
        java.stdin.end(`${lines.join('\n')}\n`);
        expect(await once(java, 'exit')).toEqual([0, null]);
        await eventually(() => {
          to.client.ack(to.client.seqs().at(-1) ?? -1);
          expect(to.client.bodies().filter((body) => body.startsWith(codec))).toEqual(lines);
        });
      }
    },
  );

  it('that each are just small enough make only their own inbox wait', async () => {
    const [to, other] = [await person(), await person()];
    const before = peak();
    const tiny = packedBatch(zeros(MAX_UNPACKED_BYTES - 100), 1, 'zstd');
    const log = Array.from({ length: 12 }, () => write(inboxOf(to.name), tiny));
    expect(new Set(await Promise.all(log))).toEqual(new Set([0]));
    await delivers(other, 'meanwhile');
    await delivers(to, 'in the end');
    expect(peak() - before).toBeLessThan(150);
  });

  inFull('in a log do not keep the broker from starting again after it was killed', async () => {
    const to = await person();
    for (const bomb of bombs.values()) expect(await write(inboxOf(to.name), bomb)).toBe(0);
    await broker.kill();
    await broker.start();
    await eventually(() => delivers(to, 'after the crash'));
  });

  it('made of notices cost a few heartbeats, and a true notice after very many others is heard', async () => {
    const to = await person();
    const before = peak();
    const content = (inbox: string) =>
      encodeContent({ key: 'replaced', value: Buffer.from(inbox), headers: [] });
    // Of this inbox, of others and of none.
    const some = [inboxOf(to.name), inboxOf('nobody'), 'x'.repeat(200)].map(content);
    const batch = records(Array.from({ length: 1_000 }, (_, i) => some[i % some.length] ?? Buffer.alloc(0)));
    for (let i = 0; i < sized(100, 500); i++)
      expect(await write('milena.notices', rawBatch(batch, { count: 1_000, kind: 0 }))).toBe(0);
    await delivers(to, 'still here');
    const other = await RunningFrontend.start(settings);
    const client = await RawClient2.connect(other.address);
    await client.login(to.name, { password: PASSWORD, takeover: true });
    await eventually(() => expect(to.client.goodbye).not.toBeNull());
    expect(peak() - before).toBeLessThan(150);
    await other.remove();
  });

  it('in the tables, where somebody has set them to keep what is packed, are stepped over, by a frontend that starts, too', async () => {
    for (const topic of ['milena.accounts', 'milena.sessions']) {
      await set(topic, [{ name: 'compression.type', value: 'producer' }]);
      for (const bomb of bombs.values()) {
        for (let i = 0; i < BOMBS; i++) expect(await write(topic, bomb)).toBe(0);
      }
    }
    const before = peak();
    const { name } = await person();
    expect(peak() - before).toBeLessThan(150);
    const other = await RunningFrontend.start(settings);
    const client = await RawClient2.connect(other.address);
    await client.login(name, { password: PASSWORD, takeover: true });
    await other.remove();
  });
});

const UNCOMPRESSED = [{ name: 'compression.type', value: 'uncompressed' }];
