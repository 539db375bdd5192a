/* Commands as processes against a server that lies, stalls or floods: they end as documented, in time, and stay small. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { share } from '../../size.ts';
import { endingCommands, FAULT, wrongEnd } from './ending.ts';
import { HostileServer, MALICE } from './hostile-server.ts';
import { RunningCommand } from './running-command.ts';

let folder: string;
let server: HostileServer | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'milena-hostile-'));
  writeFileSync(join(folder, 'new'), 'another secret\n', { mode: 0o600 });
});
afterEach(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What goes on until it is ended. */
const LISTENING: readonly (readonly string[])[] = [['listen'], ['--plain', '--no-history']];

/** With what pushes most the memory shows it first; of the others there is one each time, and all in a full run. */
const LARGEST = 'pushes messages of a MiB without end';
const OTHERS = Object.keys(MALICE).filter((name) => name !== LARGEST);
const SOME = share(OTHERS, OTHERS.length, Math.floor(Math.random() * OTHERS.length));

/** An end with 2 s of its own, some for the login's patience and for an orderly end, and what a busy machine adds. */
const ENDS_WITHIN_MS = 40_000;
const LISTENS_FOR_MS = 3_000;
/** Node and the client alone are some 100 MiB. */
const MAX_MIB = 320;
const SIGTERM_BIT = 1 << 14;
/** Lines from a pipe, of which one could not be carried out. */
const LINE_FAILED = 1;

function start(args: readonly string[], port: number): RunningCommand {
  return new RunningCommand(args, {
    // Of the chat: the password, and then somebody who only looks.
    input: args.includes('--plain') ? null : '',
    settings: {
      MILENA_SERVER: `127.0.0.1:${port}`,
      MILENA_USER: 'alice',
      MILENA_PASSWORD: 'secret',
      MILENA_DATA_DIR: join(folder, args.join('-').replaceAll(/[^a-z-]/g, '')),
      MILENA_KAFKA_BROKERS: '127.0.0.1:1',
    },
  });
}

interface Outcome {
  readonly command: string;
  readonly code: number | string | null;
  readonly mib: number;
  readonly stderr: string;
}

/** The most memory that it had, in MiB, looked at while it lives. @param ends when it has had its time */
async function outcomeOf(
  args: readonly string[],
  command: RunningCommand,
  ends: () => void,
): Promise<Outcome> {
  let kib = 0;
  const time = LISTENING.includes(args) ? LISTENS_FOR_MS : ENDS_WITHIN_MS;
  let timer: NodeJS.Timeout | undefined;
  const look = setInterval(() => {
    const status = statusOf(command.child.pid);
    kib = Math.max(kib, Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0));
    // One that is still being loaded catches no signal.
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? 'ffff';
    if ((Number.parseInt(caught.slice(-4), 16) & SIGTERM_BIT) !== 0) timer ??= setTimeout(ends, time);
  }, 50);
  const code = await command.exited;
  clearTimeout(timer);
  clearInterval(look);
  const { stderr } = command;
  return { command: args.join(' '), code, mib: Math.round(kib / 1024), stderr };
}

/** Empty where the system has no such file, and for a process that has ended. */
function statusOf(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

function expectGood({ command, code, mib, stderr }: Outcome, also: readonly unknown[]): void {
  const told = `${command}: ${code}, ${mib} MiB\n${stderr.slice(0, 2_000)}`;
  expect(wrongEnd(code, stderr, [FAULT, ...also]), told).toBe(null);
  expect(mib, told).toBeLessThan(MAX_MIB);
}

describe.each([LARGEST, ...SOME])('a server that %s', (name) => {
  const listen = async () => {
    const malice = MALICE[name];
    if (malice === undefined) throw new Error(name);
    server = await HostileServer.listen(malice());
    return server.port;
  };

  test('ends every command', { timeout: 180_000 }, async () => {
    const port = await listen();
    const all = endingCommands(2, join(folder, 'new'));
    const ending = [['doctor'], ...share(all, all.length, Math.floor(Math.random() * all.length))];
    const outcomes = await Promise.all(
      ending.map((args) => {
        const command = start(args, port);
        return outcomeOf(args, command, () => void command.kill('SIGKILL'));
      }),
    );
    for (const outcome of outcomes) expectGood(outcome, []);
  });

  test('does not fill the memory of who listens or talks', { timeout: 120_000 }, async () => {
    const port = await listen();
    const outcomes = await Promise.all(
      LISTENING.map((args) => {
        const command = start(args, port);
        if (args.includes('--plain')) command.child.stdin?.write('secret\n');
        return outcomeOf(args, command, () => void command.kill('SIGTERM'));
      }),
    );
    for (const outcome of outcomes) expectGood(outcome, [LINE_FAILED, 143]);
  });
});
