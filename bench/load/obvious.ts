import { Kafka, logLevel } from 'kafkajs';
import type { BareKafka } from './bare-kafka.ts';
import { nowUs, pause } from './clock.ts';
import { Histogram, type HistogramData } from './histogram.ts';

export interface ObviousResult {
  readonly users: number;
  readonly joinSeconds: number;
  readonly idleCpuPercent: number;
  readonly memoryMiB: number;
  readonly deliver: HistogramData;
}

const JOINING_AT_ONCE = 10;
/** No member may keep its group waiting for longer. */
const JOIN_TIMEOUT_MS = 120_000;

/** The obvious design: each user has a kafkajs consumer in a group of its own. All in this process. */
export async function obviousDesign(
  bare: BareKafka,
  options: {
    readonly brokers: string;
    readonly users: number;
    readonly idleSeconds: number;
    readonly messages: number;
  },
): Promise<ObviousResult> {
  const { brokers, users, idleSeconds, messages } = options;
  const kafka = new Kafka({
    brokers: brokers.split(','),
    clientId: 'milena-bench',
    logLevel: logLevel.NOTHING,
  });
  const topics = bare.topics.slice(0, users);
  const times = new Histogram();
  let sentUs = 0;
  let arrived: () => void = () => {};
  const consumers = topics.map((topic) => ({
    topic,
    consumer: kafka.consumer({ groupId: `obvious-${topic}` }),
  }));
  const beganUs = nowUs();
  const rest = consumers.values();
  const join = async () => {
    for (const { topic, consumer } of rest) {
      const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()));
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: false });
      const eachMessage = async () => {
        if (sentUs > 0) times.record(nowUs() - sentUs);
        arrived();
      };
      await consumer.run({ eachMessage });
      await Promise.race([joined, pause(JOIN_TIMEOUT_MS)]);
    }
  };
  await Promise.all(Array.from({ length: JOINING_AT_ONCE }, join));
  const joinSeconds = (nowUs() - beganUs) / 1e6;
  await pause(2_000);
  const cpu = process.cpuUsage();
  await pause(1_000 * idleSeconds);
  const { user, system } = process.cpuUsage(cpu);
  const memoryMiB = Math.round(process.memoryUsage.rss() / 2 ** 20);
  for (let i = 0; i < messages; i++) {
    const topic = topics[i % topics.length] ?? '';
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    sentUs = nowUs();
    await bare.append(topic, Buffer.alloc(100, 'x'));
    await Promise.race([arrival, pause(6_000)]);
  }
  await Promise.race([
    Promise.allSettled(consumers.map(({ consumer }) => consumer.disconnect())),
    pause(10_000),
  ]);
  const idleCpuPercent = (user + system) / 1e4 / idleSeconds;
  return { users: topics.length, joinSeconds, idleCpuPercent, memoryMiB, deliver: times.data() };
}
