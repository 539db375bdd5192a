/**
 * Takes the pictures of the README and the docs from real screens: a real frontend and Kafka, the built client in a
 * pseudo-terminal, an emulator that reads what it writes.
 *
 *     npm run pictures [-- FOLDER]           into docs/pictures unless another folder is named
 *     npm run pictures -- FOLDER followed    only the topic that a room shows
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
import { CONSOLE, DARK, LIGHT, type Palette, svgOf } from './svg.ts';

const [, , folder = 'docs/pictures', only] = process.argv;
const data = mkdtempSync(join(tmpdir(), 'milena-pictures-'));
const broker = await startBroker();
process.env.MILENA_KAFKA_BROKERS = broker.brokers;
process.env.MILENA_FOLLOW_TOPICS = 'orders.*';
const port = await freePort();
const frontend = await startFrontend(port);
const panes: Pane[] = [];
const PATIENCE_MS = 20_000;
const PAUSE_MS = 100;

interface Look {
  readonly cols: number;
  readonly rows: number;
  readonly palette: Palette;
  /** As a terminal says it; null: it says nothing. */
  readonly background: string | null;
  readonly env: Readonly<Record<string, string>>;
}

const TRUE_COLOUR = { TERM: 'xterm-256color', COLORTERM: 'truecolor' };
const ON_DARK: Look = { cols: 80, rows: 24, palette: DARK, background: '1414/1616/1b1b', env: TRUE_COLOUR };
const ON_LIGHT: Look = { ...ON_DARK, palette: LIGHT, background: 'fbfb/fbfb/fafa' };
const ON_CONSOLE: Look = {
  ...ON_DARK,
  palette: CONSOLE,
  background: null,
  env: { TERM: 'linux', COLORTERM: '' },
};
const LARGE = { cols: 120, rows: 40 };

/** A client in a terminal. */
class Pane {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly #pty: IPty;
  readonly #palette: Palette;
  readonly #ended: Promise<void>;

  /** @param device another machine than the account's main one */
  constructor(user: string, { cols, rows, palette, background, env }: Look, device = '') {
    this.#palette = palette;
    this.#terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true });
    this.#pty = spawn(process.execPath, ['dist/bundle/main.js', '--server', `${HOST}:${port}`], {
      cols,
      rows,
      name: env.TERM ?? 'xterm-256color',
      env: { ...process.env, ...env, MILENA_DATA_DIR: join(data, user, device), MILENA_DEVICE: device },
    });
    this.#pty.onData((text) => this.#terminal.write(text));
    this.#terminal.onData((text) => this.#pty.write(text));
    this.#terminal.parser.registerOscHandler(11, (asked) => {
      if (asked === '?' && background !== null) this.#pty.write(`\u001b]11;rgb:${background}\u001b\\`);
      return true;
    });
    this.#ended = new Promise((resolve) => this.#pty.onExit(() => resolve()));
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
    writeFileSync(join(folder, `${name}.svg`), svgOf(this.#terminal, title, this.#palette));
    console.log(`${join(folder, name)}.svg`);
  }

  close(): void {
    this.#pty.kill();
  }

  /** As a person does it: what comes in one moment behind an Enter is a paste. */
  async enter(text: string): Promise<void> {
    this.type(`${text}\r`);
    await sleep(PAUSE_MS);
  }

  async leave(): Promise<void> {
    this.type('\u0003');
    await this.#ended;
  }

  #text(): string {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, row) =>
      active.getLine(active.baseY + row)?.translateToString(true),
    ).join('\n');
  }
}

async function arrive(user: string, look = ON_DARK): Promise<Pane> {
  const pane = new Pane(user, look);
  await pane.shows(/Connected to/);
  await pane.enter(user);
  await pane.shows(new RegExp(`make ${user}\\?`));
  await pane.enter('yes');
  await pane.shows(/password for/);
  await pane.enter('');
  await pane.shows(new RegExp(`${user} is made`));
  return pane;
}

/** Comes to an open account with another device. */
async function arriveAgain(user: string, device: string, look = ON_DARK): Promise<Pane> {
  const pane = new Pane(user, look, device);
  await pane.shows(/your name ›/);
  await pane.enter(user);
  await pane.shows(/password of/);
  await pane.enter('');
  await pane.shows(new RegExp(`Logged in as ${user}`));
  return pane;
}

async function say(from: Pane, to: Pane, text: string): Promise<void> {
  await from.enter(text);
  const beginning = text.slice(0, 12).replace(/[^\w ]/g, '.');
  // On one's own screen it stands before it is sent, too.
  await to.shows(new RegExp(from === to ? `${beginning}.* ✓` : beginning));
}

/** A message that some program writes into a topic, with nothing but Kafka. */
function produce(topic: string, key: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = ['dist/tools/producer.js', topic, '--key', key];
    const child = spawnProcess(process.execPath, args, {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`producer: ${code}`))));
    child.stdin.end(`${text}\n`);
  });
}

/** A room on three terminals, of which two are one person's. */
async function takeRooms(): Promise<void> {
  const small = { ...ON_DARK, cols: 76, rows: 16 };
  const dora = await arrive('dora');
  const emil = await arrive('emil', small);
  const laptop = await arriveAgain('dora', 'laptop', small);
  await emil.enter('/room create #on-call');
  await emil.shows(/is made, and yours/);
  await emil.enter('/room set about what is broken, and who mends it');
  await dora.enter('/join #on-call');
  await dora.shows(/You are in #on-call/);
  const frieda = await arrive('frieda', small);
  await frieda.enter('/join #on-call');
  await frieda.shows(/You are in #on-call/);
  await frieda.enter('/msg dora can you take my shift on Monday?');
  await dora.shows(/frieda +1/);
  await frieda.enter('/msg #on-call');
  await frieda.shows(/You are in/);
  await say(emil, dora, 'the dashboards are red since 14:02');
  await produce('milena.room.on-call', 'alertmanager', 'disk full on db-3 (97 %)');
  await dora.shows(/disk full/);
  await say(frieda, dora, 'db-3 has the old log retention. I can roll it back');
  await say(emil, dora, 'dora, is the backup of db-3 from this night?');
  await say(dora, emil, 'yes, 03:10, and it was tested');
  await say(frieda, dora, 'then I roll back now 🙏');
  dora.type('I watch the queues');
  await dora.picture('room', 'A room');
  dora.type('\u0015');
  await dora.enter('/msg frieda');
  await dora.shows(/take my shift/);
  for (let count = 1; count <= 24; count++) await say(emil, emil, `step ${count} of 24 is done`);
  await say(emil, emil, 'dora: all green again');
  for (const pane of [dora, laptop]) await pane.shows(/#on-call +!2[5-9]/);
  await dora.enter('/msg #on-call');
  await dora.shows(/new below/);
  const left = /#on-call +(!?\d+)/;
  await laptop.shows(/#on-call +!(?:[1-9]|1\d) /);
  await dora.shows(left);
  await dora.picture('devices-desk', 'On one device the first messages are read');
  await laptop.picture('devices-laptop', 'The other one says how many are left');
  for (const pane of [dora, laptop, emil, frieda]) await pane.leave();
}

/** A topic of programs, of which a room shows what people want to see. */
async function takeTopic(): Promise<void> {
  const record = (key: string, value: object | string) =>
    produce('orders.dlq', key, typeof value === 'string' ? value : JSON.stringify(value));
  await record('order-70', { level: 'info', service: 'mail', message: 'sent' });
  const gina = await arrive('gina', { ...ON_DARK, cols: 96, rows: 15 });
  await gina.enter(
    `/room create #orders-dlq --topic orders.dlq --where 'value.level == "error"' --as '{{ value.service }}: {{ value.message }}'`,
  );
  await gina.shows(/is made, and yours/);
  await record('order-71', { level: 'error', service: 'payments', message: 'card declined by the bank' });
  await gina.shows(/card declined/);
  await record('order-72', { level: 'info', service: 'mail', message: 'sent' });
  await record('order-73', { level: 'error', service: 'stock', message: 'no such article: 4711-b' });
  await gina.shows(/no such article/);
  await record('order-74', { service: 'stock', message: 'no shelf' });
  await gina.shows(/order-74/);
  await record('order-75', {
    level: 'error',
    service: 'payments',
    message: 'timeout after 30 s, not tried again',
  });
  await gina.shows(/timeout after/);
  gina.type('/raw 0/4');
  await gina.picture('followed-topic', 'A room that shows a topic');
  await gina.leave();
}

async function takeAll(): Promise<void> {
  const first = new Pane('nobody', { ...ON_DARK, rows: 14 });
  await first.shows(/Connected to/);
  await first.picture('first-start', 'The first start');

  let anna = await arrive('anna');
  const bob = await arrive('bob');
  const carol = await arrive('carol', { ...ON_DARK, cols: 58, rows: 16 });
  await anna.enter('/msg bob');
  await bob.enter('/msg anna');
  await say(anna, bob, 'are we still on for lunch?');
  await say(bob, anna, 'yes, 12:30. Could you order the soup for me? I may be late 🍜');
  await say(anna, bob, 'sure. The menu: https://lunch.example/this-week');
  await carol.enter('/msg anna did the deploy go through?');
  await anna.shows(/carol\s+1/);
  await produce('milena.inbox.anna', 'deploy-bot', 'build 7 is out: 412 tests, 0 failures');
  await anna.shows(/deploy-bot/);
  await say(bob, anna, 'running late, start without me');
  anna.type('see you there');
  await anna.picture('conversation', 'A conversation in the terminal');

  const looks = { light: ON_LIGHT, console: ON_CONSOLE };
  const sizes = { '': {}, '-large': LARGE };
  for (const [size, { name, look }] of Object.entries(sizes).flatMap(([size, part]) =>
    Object.entries({ dark: ON_DARK, ...looks }).map(
      ([name, look]) => [size, { name, look: { ...look, ...part } }] as const,
    ),
  )) {
    if (size === '' && name === 'dark') continue;
    await anna.leave();
    anna = new Pane('anna', look);
    await anna.shows(/online/);
    await anna.enter('/msg bob');
    await anna.shows(/see you there/);
    await anna.picture(`conversation-${name}${size}`, `A conversation: ${name}${size.replace('-', ', ')}`);
  }
  await anna.leave();
  anna = new Pane('anna', ON_DARK);
  await anna.shows(/online/);
  await anna.enter('/msg bob');
  await anna.shows(/see you there/);

  await anna.enter('\u0015/search lunch');
  await anna.shows(/with lunch/);
  await anna.picture('search', 'What a search has found');
  await anna.enter('\u001b[B');
  await anna.shows(/hit 2 of/);
  await anna.picture('search-hit', 'A hit of the search in its conversation');
  anna.type('\u001b');
  await sleep(300);

  await anna.enter('/open');
  await anna.shows(/lunch\.example/);
  await anna.picture('links', 'The addresses of a conversation');
  anna.type('\u001b');
  await sleep(300);
  anna.type('\u001bl');
  await anna.shows(/Any key goes back/);
  await anna.picture('bare', 'The messages alone');
  anna.type('\u001b');
  await sleep(300);

  await anna.enter('/close');
  for (let count = 1; count <= 30; count++) await say(bob, bob, `${count}. step of the recipe`);
  await say(bob, bob, 'anna, the soup is ready');
  await anna.shows(/bob\s+!?31/);
  anna.type('\u001bm');
  await anna.shows(/Activity/);
  await anna.picture('activity', 'What is unread, and what concerns one');
  anna.type('\u001b');
  await sleep(300);
  await anna.enter('/msg bob');
  await anna.shows(/\d+ new below/);
  await anna.picture('unread', 'A conversation opens at its first unread message');
  anna.type('\u001b');
  await sleep(300);
  await anna.enter('/help');
  await anna.shows(/What you can type/);
  await anna.picture('help', 'The help page');
  anna.type('\u001b');

  await takeRooms();

  frontend.kill('SIGKILL');
  await carol.shows(/no connection/);
  await carol.enter('I can write all the same');
  await carol.shows(/⧖/);
  await carol.picture('no-connection', 'A message waits for the connection');
}

try {
  mkdirSync(folder, { recursive: true });
  await takeTopic();
  if (only !== 'followed') await takeAll();
} finally {
  for (const pane of panes) pane.close();
  frontend.kill('SIGTERM');
  await broker.stop();
  rmSync(data, { recursive: true, force: true });
}
