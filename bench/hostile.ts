/**
 * An honest pair's latency alone, then beside one flood after the other; and what else a flood does: sessions lost,
 * how long a newcomer waits, memory, lines in the log.
 *
 *     npm run bench:hostile -- [--only NAME] [--connections 500] [--addresses 1] [--seconds 15] [--accounts 3000]
 *                              [--after 5] [--out FILE]
 *
 * Starts a frontend of its own against the Kafka at MILENA_KAFKA_BROKERS, with default limits but for the number of
 * connections from one address. Everything stays on this machine; floods end by themselves.
 */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { freePort, machine, percentiles, progress, round, seconds, startFrontend } from './bench-run.ts';
import { FLOODS } from './hostile/floods.ts';
import { Honest, makeFlooders } from './hostile/pair.ts';
import { usageOf } from './process-usage.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    connections: { type: 'string', default: '500' },
    addresses: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '15' },
    accounts: { type: 'string', default: '3000' },
    after: { type: 'string', default: '5' },
    out: { type: 'string' },
  },
});
const CONNECTIONS = Number(values.connections);
const ADDRESSES = Number(values.addresses);
const SECONDS = Number(values.seconds);
/** Each has an inbox, and a broker of one's own is small: a flood of people who are logged in has this many. */
const PEOPLE = 20;
/** How long after a flood memory is looked at. */
const AFTER_SECONDS = Number(values.after);

process.env.MILENA_CONNECTIONS_PER_ADDRESS ??= String(Math.max(500, Math.ceil(CONNECTIONS / ADDRESSES)));
const port = await freePort();
const frontend = await startFrontend(port);
const pid = frontend.pid ?? 0;
let logLines = 0;
let leasesLost = 0;
if (frontend.stdout !== null) {
  createInterface({ input: frontend.stdout }).on('line', (line) => {
    logLines += 1;
    if (line.includes('lease lost')) leasesLost += 1;
  });
}
try {
  progress(`${values.accounts} accounts`);
  await makeAccounts(Number(values.accounts));
  await makeFlooders(port, PEOPLE);
  const [anna, bert] = await Promise.all([person('anna'), person('bert')]);
  await chat(anna, bert, 3);
  const rows = [];
  for (const name of Object.keys(FLOODS)) {
    if (!name.includes(values.only)) continue;
    progress(name);
    rows.push(await beside(name, anna, bert));
    console.log(JSON.stringify(rows.at(-1)));
  }
  console.log(`
| flood, ${CONNECTIONS} connections from ${ADDRESSES} | alone p50 / p99 ms | beside | p99 × | newcomers in, longest ms, behind the flood | lost | MiB before, most, after | log lines/s |
| --- | --- | --- | --- | --- | --- | --- | --- |`);
  for (const row of rows) {
    const { flood, alone, during, newcomers, sessionsLost, memory } = row;
    console.log(
      `| ${flood} | ${alone.p50} / ${alone.p99} | ${during.p50} / ${during.p99} | ${row.p99Ratio} | ${newcomers.in}, ${newcomers.longestMs}, ${newcomers.longestBehindMs} | ${sessionsLost} | ${memory.before}, ${memory.most}, ${memory.after} | ${row.logLinesPerSecond} |`,
    );
  }
  const line = JSON.stringify({
    at: new Date().toISOString(),
    machine: machine(),
    connections: CONNECTIONS,
    addresses: ADDRESSES,
    rows,
  });
  if (values.out) appendFileSync(values.out, `${line}\n`);
} finally {
  frontend.kill('SIGTERM');
}

/** One flood, from a while before it to a while after. */
async function beside(flood: string, anna: Honest, bert: Honest) {
  const before = Math.round(usageOf(pid).memoryMiB);
  const alone = percentiles(await chat(anna, bert, 4));
  const beganAt = performance.now() / 1_000;
  const linesBefore = logLines;
  const lostBefore = leasesLost;
  const many = FLOODS[flood]?.loggedIn === true ? PEOPLE : CONNECTIONS;
  const flooder = spawn(
    process.execPath,
    [
      'bench/hostile/flooder.ts',
      ...['--port', String(port), '--flood', flood, '--connections', String(many)],
      ...['--addresses', String(ADDRESSES), '--seconds', String(SECONDS + 60)],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines: string[] = [];
  const begun = new Promise<void>((resolve) => {
    createInterface({ input: flooder.stdout }).on('line', (line) => {
      lines.push(line);
      resolve();
    });
  });
  const ended = new Promise((resolve) => flooder.once('exit', resolve));
  await Promise.race([begun, seconds(10)]);
  let most = before;
  let flooding = true;
  const watch = setInterval(() => {
    most = Math.max(most, Math.round(usageOf(pid).memoryMiB));
  }, 200);
  const arrivals = newcomersWhile(() => flooding);
  const during = percentiles(await chat(anna, bert, SECONDS - 1));
  flooding = false;
  const newcomers = await arrivals;
  flooder.kill('SIGTERM');
  await ended;
  clearInterval(watch);
  const logLinesPerSecond = round((logLines - linesBefore) / (performance.now() / 1_000 - beganAt));
  await seconds(AFTER_SECONDS);
  const after = Math.round(usageOf(pid).memoryMiB);
  return {
    flood,
    alone,
    during,
    p99Ratio: round(during.p99 / alone.p99),
    newcomers,
    sessionsLost: Number(anna.isOver) + Number(bert.isOver) + leasesLost - lostBefore,
    memory: { before, most, after },
    logLinesPerSecond,
    flooder: lines.at(-1) ?? '',
  };
}

/** One after the other, from an address of their own and from the flood's: how long until each was let in. */
async function newcomersWhile(going: () => boolean) {
  const waits = { elsewhere: [0], behindTheFlood: [0] };
  let tries = 0;
  for (let i = 0; going(); i++) {
    const began = performance.now();
    const place = i % 2 === 0 ? 'elsewhere' : 'behindTheFlood';
    for (let isIn = false; !isIn && going(); tries++) {
      isIn = await comesIn(`bench-newcomer-${i % 10}`, place === 'elsewhere' ? '127.0.0.1' : '127.1.0.1');
    }
    waits[place].push(performance.now() - began);
    await seconds(0.5);
  }
  return {
    in: waits.elsewhere.length + waits.behindTheFlood.length - 2,
    tries,
    longestMs: Math.round(Math.max(...waits.elsewhere)),
    longestBehindMs: Math.round(Math.max(...waits.behindTheFlood)),
  };
}

async function comesIn(name: string, address: string): Promise<boolean> {
  try {
    const newcomer = await Honest.connect(port, name, address);
    await newcomer.enter();
    newcomer.close();
    return true;
  } catch {
    await seconds(0.02);
    return false;
  }
}

/** Milliseconds from sending to arriving, one message at a time, for so long. */
async function chat(from: Honest, to: Honest, forSeconds: number): Promise<number[]> {
  const samples: number[] = [];
  const until = performance.now() + forSeconds * 1_000;
  for (let i = 0; performance.now() < until; i++) {
    samples.push(await from.sendTo(to, `${until} ${i}`));
    // As people do who write quickly, and within what one session may send.
    await seconds(0.005);
  }
  return samples;
}

async function person(stem: string): Promise<Honest> {
  const someone = await Honest.connect(port, `bench-${stem}`, '127.0.0.2');
  await someone.enter();
  return someone;
}

/** Names to search in. What was made by an earlier run is there already. */
async function makeAccounts(count: number): Promise<void> {
  let made = 0;
  const makeSome = async (): Promise<void> => {
    for (let i = made++; i < count; i = made++) {
      const someone = await Honest.connect(port, `bench-account-${i}`);
      await someone.ask({ type: 'create', username: someone.name });
      someone.close();
    }
  };
  await Promise.all(Array.from({ length: 32 }, makeSome));
}
