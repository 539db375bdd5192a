import type { Percentiles, Result } from './bench.ts';
import { type Plot, plot, type Series } from './svg.ts';

/** [what, value] */
type Row = readonly [string, string];

/** One table of all results, for people. */
export function table(results: readonly Result[]): string {
  const rows = results.flatMap(rowsOf);
  rows.push(...ratios(results));
  return [
    '| what | value |',
    '| --- | --- |',
    ...rows.map(([what, value]) => `| ${what} | ${value} |`),
    '',
  ].join('\n');
}

/** File name and contents of each picture there are figures for. */
export function plots(results: readonly Result[]): { readonly file: string; readonly svg: string }[] {
  const open = results.filter(({ phase, error }) => phase === 'open' && error === undefined);
  const growth = results.filter(({ phase, error }) => phase === 'growth' && error === undefined);
  const latency: Plot = {
    title: 'Delivery latency over offered load (open loop, from the moment a message was due)',
    xLabel: 'messages offered per second',
    yLabel: 'milliseconds',
    series: (['p50', 'p90', 'p99'] as const).map((name) =>
      series(name, open, 'offeredPerSecond', (result) => times(result.deliverMs)[name]),
    ),
  };
  const cost: Plot = {
    title: 'CPU per delivered message over people online (same load)',
    xLabel: 'people online',
    yLabel: 'CPU milliseconds per message',
    series: (['frontend', 'broker'] as const).map((name) =>
      series(name, growth, 'users', (result) => numbers(result.cpuMsEach)[name] ?? 0),
    ),
  };
  return [
    ...(open.length > 1 ? [{ file: 'latency.svg', svg: plot(latency) }] : []),
    ...(growth.length > 1 ? [{ file: 'cpu.svg', svg: plot(cost) }] : []),
  ];
}

function rowsOf(result: Result): Row[] {
  const { phase, users } = result;
  if (result.error !== undefined) return [[`${phase}: failed`, String(result.error).split('\n')[0] ?? '']];
  const over = `${result.tls === true ? ', TLS' : ''}${result.version === 1 ? ', version 1' : ''}`;
  const value = (name: string) => String(result[name]);
  const cpu = cpuText(result.cpuMsEach);
  const delivered = `${value('deliveredPerSecond')}/s, ${timesText(result.deliverMs)}${cpu}`;
  switch (phase) {
    case 'first':
      return [
        [
          `Kafka alone: first append to each of ${value('topics')} topics after its start`,
          `${value('firstPerSecond')}/s`,
        ],
        ['Kafka alone: second append to each', `${value('secondPerSecond')}/s`],
        ['Kafka alone: in the long run', `${value('steadyPerSecond')}/s`],
      ];
    case 'obvious':
      return [
        [`a kafkajs consumer for each of ${users}: idle CPU, % of a core`, value('idleCpuPercent')],
        ['… memory, MiB', value('memoryMiB')],
        ['… send to deliver, one at a time', timesText(result.deliverMs)],
      ];
    case 'create':
      return [['accounts made, 32 in flight', `${value('perSecond')}/s, ${timesText(result.tookMs)}${cpu}`]];
    case 'login':
      return [
        [`${users} logins, ${result.how === 'token' ? 'by token' : 'open'}`, `${value('perSecond')}/s${cpu}`],
      ];
    case 'latency': {
      const who = `one at a time, ${users} online, ${value('frontends')} frontend(s)${over}`;
      return [
        [`${who}: send to accept`, timesText(result.acceptMs)],
        [`${who}: send to deliver`, timesText(result.deliverMs)],
        ['… Kafka alone in turn with it: produce to consume', timesText(result.floorMs)],
        ['… ratio of p50 and of p99', `${numbers(result.ratio).p50} and ${numbers(result.ratio).p99}`],
      ];
    }
    case 'throughput':
      return [
        [`${value('senders')} senders awaiting acceptance, ${users} online${over}`, delivered],
        ['… Kafka alone, as many appends in flight', `${value('floorPerSecond')}/s; ratio ${value('ratio')}`],
      ];
    case 'open':
      return [[`${value('offeredPerSecond')}/s offered, ${users} online`, delivered]];
    case 'growth':
      return [[`${value('offeredPerSecond')}/s, ${users} online`, delivered]];
    case 'drain':
      return [
        [
          `${value('backlog')} waiting in ${value('inboxes')} inboxes, drained`,
          `${value('perSecond')}/s${cpu}`,
        ],
      ];
    case 'storm':
      return [
        [
          `frontend killed: ${users} back`,
          `${value('back')} in ${value('seconds')} s, ${value('perSecond')}/s`,
        ],
        ['… a pair on another frontend before', timesText(result.pairCalmMs)],
        ['… and meanwhile', timesText(result.pairDuringMs)],
      ];
    case 'idle':
      return [
        [
          `${users} idle: CPU of frontend / broker, % of a core`,
          `${value('frontendCpuPercent')} / ${value('brokerCpuPercent')}`,
        ],
        ['… memory of frontend / broker, MiB', `${value('frontendMiB')} / ${value('brokerMiB')}`],
        ['… connections of the frontend to Kafka', value('kafkaConnections')],
      ];
    default:
      return [[phase, JSON.stringify(result)]];
  }
}

/** What compares phases with each other. */
function ratios(results: readonly Result[]): Row[] {
  const rows: Row[] = [];
  const growth = results.filter(({ phase, error }) => phase === 'growth' && error === undefined);
  const costs = growth.map(
    ({ cpuMsEach }) => (numbers(cpuMsEach).frontend ?? 0) + (numbers(cpuMsEach).broker ?? 0),
  );
  const [few, many] = [costs.at(0), costs.at(-1)];
  if (growth.length > 1 && few && many) {
    const from = `${growth.at(0)?.users} to ${growth.at(-1)?.users}`;
    rows.push([
      `CPU per delivered message (frontend and broker), from ${from} online`,
      `× ${(many / few).toFixed(2)}`,
    ]);
  }
  const idle = results.find(({ phase, error }) => phase === 'idle' && error === undefined);
  const obvious = results.find(({ phase, error }) => phase === 'obvious' && error === undefined);
  if (idle && obvious) {
    const each = Number(idle.frontendCpuPercent) / Number(idle.users);
    const ratio = Number(obvious.idleCpuPercentEach) / each;
    rows.push(['idle CPU per user, a kafkajs consumer each / a frontend', `× ${Math.round(ratio)}`]);
  }
  return rows;
}

function series(name: string, results: readonly Result[], x: string, y: (result: Result) => number): Series {
  return { name, points: results.map((result) => [Number(result[x]), y(result)] as const) };
}

function timesText(value: unknown): string {
  if (value === undefined) return '';
  const { p50, p90, p99, max } = times(value);
  return `${p50} / ${p90} / ${p99} / ${max} ms`;
}

function cpuText(value: unknown): string {
  const { frontend, broker, generator } = numbers(value);
  const us = (ms: number | undefined) => Math.round((ms ?? 0) * 1_000);
  return value ? `; CPU ${us(frontend)} + ${us(broker)} + ${us(generator)} µs` : '';
}

function times(value: unknown): Percentiles {
  return value as Percentiles;
}

function numbers(value: unknown): Readonly<Record<string, number>> {
  return (value ?? {}) as Readonly<Record<string, number>>;
}
