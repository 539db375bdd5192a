/** The client as a job of an interactive shell. */
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { inFull } from '../size.ts';
import {
  answerPassword,
  CLIENT,
  closeClients,
  makeAccount,
  openAs,
  openClient,
  openServerHere,
  person,
  removeFolders,
  type ServerHere,
} from './client-terminal.ts';
import { built } from './running-frontend.ts';
import type { TestTerminal } from './terminal.ts';

let frontend: ServerHere;

beforeAll(async () => {
  await built();
  frontend = await openServerHere();
});

afterEach(closeClients);

afterAll(async () => {
  removeFolders();
  await frontend?.remove();
});

/** A shell, and the client in it with something half written; and the client's process. */
async function inShell(): Promise<{ terminal: TestTerminal; pid: number }> {
  const user = await makeAccount(frontend, person('anna'));
  const { port } = frontend.address;
  const terminal = openClient(port, { user, before: 'PS1="$ " bash --norc --noprofile -i; exit 0' });
  await terminal.shows(/^\$/);
  terminal.send(`echo said before; "${process.execPath}" "${CLIENT}" --server 127.0.0.1:${port}\r`);
  await answerPassword(terminal);
  await terminal.shows(/● online/, /^ › *$/m);
  terminal.send('half a tho');
  await terminal.shows(/› half a tho$/m);
  const jobs = execFileSync('ps', ['-o', 'pid=', '--ppid', String(terminal.pid)], { encoding: 'utf8' });
  const pid = Number(jobs.trim());
  expect(pid).toBeGreaterThan(1);
  return { terminal, pid };
}

async function expectShell(terminal: TestTerminal): Promise<void> {
  await terminal.until(() => {
    expect(terminal.state).toMatchObject({ alternateScreen: false, cursor: true });
    expect(terminal.state.modes).toMatchObject({
      bracketedPasteMode: expect.any(Boolean),
      wraparoundMode: true,
      mouseTrackingMode: 'none',
      sendFocusMode: false,
    });
  });
}

/** The shell works: it has echo and lines, and says what it runs. */
async function shellWorks(terminal: TestTerminal): Promise<void> {
  await terminal.shows(/said before/, /Stopped/);
  await expectShell(terminal);
  terminal.send('echo 4$((1+1))\r');
  await terminal.shows(/^42$/m, /echo 4\$/);
  terminal.send('stty -a\r');
  await terminal.shows(/[^-]icanon/, /[^-]echo /);
}

async function isBack(terminal: TestTerminal): Promise<void> {
  await terminal.shows(/^ milena · anna/, /› half a tho$/m);
  await terminal.until(() => {
    expect(terminal.state).toMatchObject({ alternateScreen: true, cursor: true });
    expect(terminal.state.modes).toMatchObject({
      bracketedPasteMode: true,
      wraparoundMode: false,
      mouseTrackingMode: 'vt200',
      sendFocusMode: true,
    });
    expect(terminal.state.title).toMatch(/^milena · anna/);
  });
}

async function leaves(terminal: TestTerminal): Promise<void> {
  terminal.send('\u0003');
  await terminal.shows(/said before/);
  terminal.send('echo code=$?\r');
  await terminal.shows(/^code=0$/m);
  await expectShell(terminal);
}

test('Ctrl+Z gives the shell its terminal, fg brings everything back', async () => {
  const { terminal } = await inShell();
  terminal.send('\u001a');
  await shellWorks(terminal);
  terminal.send('fg\r');
  await isBack(terminal);
  terminal.send('ught');
  await terminal.shows(/› half a thought$/m);
  terminal.send('\u007f'.repeat(4));
  await isBack(terminal);
  await leaves(terminal);
});

test('so does SIGTSTP from elsewhere, more than once, and the size may be another then', async () => {
  const { terminal, pid } = await inShell();
  for (const columns of [70, 100]) {
    process.kill(pid, 'SIGTSTP');
    await shellWorks(terminal);
    terminal.send('clear; echo said before; echo Stopped\r');
    terminal.resize(columns, 20);
    terminal.send('fg\r');
    await isBack(terminal);
    expect(terminal.rows).toHaveLength(20);
  }
  await leaves(terminal);
});

inFull('after SIGSTOP and SIGCONT it takes the terminal again', async () => {
  const { terminal, pid } = await inShell();
  process.kill(pid, 'SIGSTOP');
  await terminal.shows(/Stopped/);
  // The shell has made the terminal its own: echo and lines.
  terminal.send('fg\r');
  await isBack(terminal);
  terminal.send('\u001b[D!');
  await terminal.shows(/› half a th!o$/m);
  await leavesFromHere(terminal);
});

async function leavesFromHere(terminal: TestTerminal): Promise<void> {
  terminal.send('\u0003');
  await terminal.until(() => expect(terminal.isOnAlternateScreen).toBe(false));
}

inFull(
  'one that is killed while it is stopped leaves the shell its terminal, and the cursor where it is',
  async () => {
    const { terminal, pid } = await inShell();
    terminal.send('\u001a');
    await shellWorks(terminal);
    terminal.send('clear; seq 9; echo Stopped\r');
    await terminal.shows(/^8\n9\nStopped\n\$$/m);
    // SIGTERM, and SIGCONT so that it hears of it.
    terminal.send('kill %1\r');
    await terminal.until(() => expect(() => process.kill(pid, 0)).toThrow());
    await expectShell(terminal);
    terminal.send('echo 5$((1+1))\r');
    // The shell tells of its job's end before a prompt, this one or the next.
    await terminal.shows(/^8\n9\nStopped\n\$ kill %1\n[\s\S]*^52$/m, /Terminated/);
    terminal.send('stty -a\r');
    await terminal.shows(/[^-]icanon/, /[^-]echo /);
    await expectShell(terminal);
  },
);

test('without a shell it stays, and says so', async () => {
  const terminal = await openAs(person('anna'), frontend.address.port);
  terminal.send('\u001a');
  await terminal.shows(/There is no shell to go back to/);
  terminal.send('still here');
  await terminal.shows(/› still here$/m);
});
