/**
 * Takes the pictures of the README and the docs from real screens: a real frontend and Kafka, the built client in a
 * pseudo-terminal, an emulator that reads what it writes.
 *
 *     npm run pictures [-- FOLDER]     into docs/pictures unless another folder is named
 *
 * Starts a Kafka of its own, as the tests do.
 */
import { spawn as spawnProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { freePort, HOST, startFrontend } from '../../bench/bench-run.ts';
import { startBroker } from '../broker/broker.ts';
import { svgOf } from './svg.ts';

const folder = process.argv[2] ?? 'docs/pictures';
const data = mkdtempSync(join(tmpdir(), 'milena-pictures-'));
const broker = await startBroker();
process.env.MILENA_KAFKA_BROKERS = broker.brokers;
const port = await freePort();
const frontend = await startFrontend(port);
const panes: Pane[] = [];
const PATIENCE_MS = 20_000;

/** A client in a terminal. */
class Pane {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly #pty: IPty;

  constructor(user: string, cols: number, rows: number) {
    this.#terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true });
    this.#pty = spawn(process.execPath, ['dist/client/main.js', '--server', `${HOST}:${port}`], {
      cols,
      rows,
      name: 'xterm-256color',
      env: { ...process.env, COLORTERM: 'truecolor', MILENA_DATA_DIR: join(data, user) },
    });
    this.#pty.onData((text) => this.#terminal.write(text));
    this.#terminal.onData((text) => this.#pty.write(text));
    panes.push(this);
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  async shows(pattern: RegExp): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    while (!pattern.test(this.#text())) {
      if (Date.now() > until) throw new Error(`never shown: ${pattern}\n${this.#text()}`);
      await sleep(20);
    }
  }

  /** Waits until nothing changes any more, and keeps what is seen. */
  async picture(name: string, title: string): Promise<void> {
    for (let before = ''; before !== this.#text(); before = this.#text()) await sleep(300);
    writeFileSync(join(folder, `${name}.svg`), svgOf(this.#terminal, title));
    console.log(`${join(folder, name)}.svg`);
  }

  close(): void {
    this.#pty.kill();
  }

  #text(): string {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, row) =>
      active.getLine(active.baseY + row)?.translateToString(true),
    ).join('\n');
  }
}

async function arrive(user: string, cols = 80, rows = 24): Promise<Pane> {
  const pane = new Pane(user, cols, rows);
  await pane.shows(/your name ›/);
  pane.type(`${user}\r`);
  await pane.shows(new RegExp(`make ${user}\\?`));
  pane.type('yes\r');
  await pane.shows(/password for/);
  pane.type('\r');
  await pane.shows(new RegExp(`${user} is made`));
  return pane;
}

async function say(from: Pane, to: Pane, text: string): Promise<void> {
  from.type(`${text}\r`);
  await to.shows(new RegExp(text.slice(0, 20).replace(/[^\w ]/g, '.')));
}

/** A message that some program writes into an inbox, with nothing but Kafka. */
function produce(user: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = ['dist/tools/producer.js', `milena.inbox.${user}`, '--key', 'deploy-bot'];
    const child = spawnProcess(process.execPath, args, {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`producer: ${code}`))));
    child.stdin.end(`${text}\n`);
  });
}

try {
  mkdirSync(folder, { recursive: true });
  const first = new Pane('nobody', 80, 14);
  await first.shows(/Connected to/);
  await first.picture('first-start', 'The first start');

  const anna = await arrive('anna');
  const bob = await arrive('bob');
  const carol = await arrive('carol', 58, 16);
  anna.type('/msg bob\r');
  bob.type('/msg anna\r');
  await say(anna, bob, 'are we still on for lunch?');
  await say(bob, anna, 'yes, 12:30. Could you order the soup for me? I may be late 🍜');
  await say(anna, bob, 'sure');
  carol.type('/msg anna did the deploy go through?\r');
  await anna.shows(/carol\s+1/);
  await produce('anna', 'build 7 is out: 412 tests, 0 failures');
  await anna.shows(/deploy-bot/);
  await say(bob, anna, 'running late, start without me');
  anna.type('see you there');
  await anna.picture('conversation', 'A conversation in the terminal');

  anna.type('\u0015/search lunch soup\r');
  await sleep(300);
  anna.type('/search lunch\r');
  await anna.shows(/with lunch/);
  await anna.picture('search', 'What a search has found');
  anna.type('\u001b');
  await sleep(300);
  anna.type('/help\r');
  await anna.shows(/What you can type/);
  await anna.picture('help', 'The help page');
  anna.type('\u001b');

  frontend.kill('SIGKILL');
  await carol.shows(/no connection/);
  carol.type('I can write all the same\r');
  await carol.shows(/⧖/);
  await carol.picture('no-connection', 'A message waits for the connection');
} finally {
  for (const pane of panes) pane.close();
  frontend.kill('SIGTERM');
  await broker.stop();
  rmSync(data, { recursive: true, force: true });
}
