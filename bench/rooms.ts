/**
 * What rooms cost, and how fast they are.
 *
 *     npm run bench:rooms -- [--phase room,slow,waiting,large,idle] [--people N] [--messages N] [--idle 60] [--out FILE]
 *
 * room      a message to a room of 1,000 on one frontend: until the last one has it, CPU of a delivery and of its acknowledgement
 * slow      the same while one member reads nothing, in turn with all reading: the others' times
 * waiting   10,000 messages wait in a room of 100, and all log in
 * large     as room, of 10,000, and the memory that each of its members takes beside the same people in no room
 * idle      1,000 rooms of ten people beside the same people in none: CPU and memory while nothing is said
 *
 * --people and --messages hold for all phases that are run; --node-flag for the frontend, as --cpu-prof; --set NAME=VALUE is a
 * setting of it. Starts a broker, unless MILENA_KAFKA_BROKERS names a Kafka.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { freePort, HOST, machine, progress, round } from './bench-run.ts';
import { Bench } from './load/bench.ts';
import { Inspector } from './load/inspector.ts';
import { ROOM_PHASES, type RoomSizes } from './load/room-phases.ts';
import { Stage } from './load/stage.ts';

const { values } = parseArgs({
  options: {
    phase: { type: 'string', default: Object.keys(ROOM_PHASES).join(',') },
    people: { type: 'string' },
    messages: { type: 'string' },
    idle: { type: 'string', default: '60' },
    workers: { type: 'string', default: '1' },
    body: { type: 'string', default: '100' },
    prefix: { type: 'string', default: 'load-' },
    heap: { type: 'string', default: '2g' },
    set: { type: 'string', multiple: true, default: [] },
    'node-flag': { type: 'string', multiple: true, default: [] },
    'no-build': { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const phases = values.phase.split(',').map((name) => {
  const phase = ROOM_PHASES[name];
  if (phase === undefined) throw new Error(`No phase is called ${name}.`);
  return { name, phase };
});
const sizes: RoomSizes = {
  people: values.people === undefined ? undefined : Number(values.people),
  messages: values.messages === undefined ? undefined : Number(values.messages),
  idleSeconds: Number(values.idle),
};

if (!values['no-build']) {
  progress('building');
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
const port = await freePort();
const stage = await Stage.open({
  kafka: process.env.MILENA_KAFKA_BROKERS?.trim() || null,
  ...{ brokers: 1, heap: values.heap, nodeFlags: [`--inspect=${HOST}:${port}`, ...values['node-flag']] },
  settings: Object.fromEntries(values.set.map((text) => text.split(/=(.*)/s).slice(0, 2))),
});
const bench = new Bench(stage, {
  ...{ version: 2, workers: Number(values.workers), bodyBytes: Number(values.body), prefix: values.prefix },
  ...{ certificate: {}, tls: false, replicas: 1 },
});
try {
  await bench.frontendsUp(1);
  const inspector = await Inspector.connect(HOST, port);
  for (const { name, phase } of phases) {
    progress(name);
    for (const result of await phase(bench, sizes, inspector)) {
      const loadAverage = round(loadavg()[0] ?? 0);
      const line = JSON.stringify({
        at: new Date().toISOString(),
        machine: machine(),
        loadAverage,
        ...result,
      });
      process.stdout.write(`${line}\n`);
      if (values.out !== undefined) appendFileSync(values.out, `${line}\n`);
    }
  }
  inspector.close();
} finally {
  bench.close();
  await stage.close();
}
