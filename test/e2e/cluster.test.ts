/** Three brokers and two frontends, started by scripts/cluster.sh: what one broker less does to people. */
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { javaUsable } from '../broker/java.ts';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { RawClient2 } from '../server/raw-client2.ts';
import { built } from './running-frontend.ts';
import { runScript, stateFolder } from './script.ts';

const state = stateFolder();
const settings = { MILENA_STATE_DIR: state.path, MILENA_CLUSTER_HEAP: '320m' };
const hasJava = await javaUsable();

interface Part {
  readonly kind: string;
  readonly id: number;
  readonly port: number;
  readonly pid: number;
}

let parts: Part[] = [];
const clients: RawClient2[] = [];

/** What `status` tells of the parts that run. */
async function status(): Promise<Part[]> {
  const { stdout } = await runScript('scripts/cluster.sh', ['status'], { settings });
  const lines = stdout.matchAll(/^(broker|frontend) (?:(\d+) )?127\.0\.0\.1:(\d+) process (\d+)$/gm);
  return [...lines].map(([, kind = '', id = '0', port, pid]) => ({
    ...{ kind, id: Number(id), port: Number(port), pid: Number(pid) },
  }));
}

async function enter(frontend: Part | undefined): Promise<{ name: string; client: RawClient2 }> {
  const client = await RawClient2.connect({ host: '127.0.0.1', port: frontend?.port ?? 0 });
  clients.push(client);
  const name = uniqueName('cluster');
  await client.create(name);
  return { name, client };
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function frontends(): Part[] {
  return parts.filter(({ kind }) => kind === 'frontend');
}

describe.skipIf(!hasJava)('a cluster by scripts/cluster.sh', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    await built();
    const { code, stderr } = await runScript('scripts/cluster.sh', ['start'], { settings });
    expect(stderr).not.toMatch(/did not start/);
    expect(code).toBe(0);
    parts = await status();
  }, 240_000);

  afterAll(async () => {
    for (const client of clients) client.socket.destroy();
    const { stdout } = await runScript('scripts/cluster.sh', ['stop', '--wipe', '--yes'], { settings });
    expect(stdout).toContain('Deleted');
    state.remove();
    // One that has ended is still there until its parent, by now the machine's first process, has looked.
    await eventually(() => expect(parts.filter(({ pid }) => lives(pid))).toEqual([]));
  }, 120_000);

  it('runs three brokers and two frontends', () => {
    expect(parts.map(({ kind }) => kind)).toEqual(['broker', 'broker', 'broker', 'frontend', 'frontend']);
  });

  it('brings a message to somebody on the other frontend at once, and keeps it three times', async () => {
    const [north, south] = frontends();
    const [anna, bert] = [await enter(north), await enter(south)];
    await anna.client.send(bert.name, 'hello');
    await eventually(() => expect(bert.client.bodies()).toEqual(['hello']));
    const { replicas } = await inboxPartition(bert.name);
    expect(replicas).toHaveLength(3);
  });

  it('goes on without the broker that led an inbox: no send is lost, none lies', async () => {
    const [north, south] = frontends();
    const [anna, bert] = [await enter(north), await enter(south)];
    await anna.client.send(bert.name, 'before');
    await eventually(() => expect(bert.client.bodies()).toContain('before'));
    const { leader } = await inboxPartition(bert.name);
    const victim = parts.find(({ kind, id }) => kind === 'broker' && id === leader);
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    const accepted: string[] = [];
    for (let i = 0; i < 20; i++) {
      const id = Buffer.alloc(16, i + 1);
      anna.client.write({ type: 'send', id, to: bert.name, body: `after ${i}` });
      const reply = await anna.client.reply();
      if (reply.type === 'sent') accepted.push(`after ${i}`);
      else expect(reply).toMatchObject({ type: 'failure', code: 'UNAVAILABLE' });
    }
    expect(accepted).toContain('after 19');
    await eventually(() => expect(bert.client.bodies()).toEqual(expect.arrayContaining(accepted)));
  });

  it('is stopped by stop_everything.sh as well, which keeps its data', async () => {
    const running = await status();
    expect(running.filter(({ kind }) => kind === 'broker')).toHaveLength(2);
    const done = await runScript('stop_everything.sh', [], { settings });
    expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/Nothing of \/.* is running/) });
    for (const { kind, id, pid } of running) {
      expect(done.stdout).toContain(kind === 'broker' ? `broker ${id} (process ${pid})` : `(process ${pid})`);
    }
    expect(await status()).toEqual([]);
  });
});

async function inboxPartition(name: string): Promise<{ leader: number; replicas: number[] }> {
  const brokers = parts.filter(({ kind }) => kind === 'broker').map(({ port }) => `127.0.0.1:${port}`);
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [`milena.inbox.${name}`] });
    const partition = topics[0]?.partitions[0];
    return { leader: partition?.leader ?? -1, replicas: partition?.replicas ?? [] };
  } finally {
    await admin.disconnect();
  }
}
