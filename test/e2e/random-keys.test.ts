/**
 * Anything that a person may do at the keys, in any order, while messages come and the window changes its size. After each
 * step the draft is what was written, and drawing everything anew changes nothing.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { cells } from '../../src/terminal/tui/cells.ts';
import {
  EMPTY_INPUT,
  editInput,
  type InputAction,
  type InputLine,
} from '../../src/terminal/tui/input-line.ts';
import { viewInput } from '../../src/terminal/tui/input-view.ts';
import { maxInputRows } from '../../src/terminal/tui/screen.ts';
import { Random } from '../protocol/random.ts';
import { inFull, sized } from '../size.ts';
import { SEQUENCES } from '../terminal/keyboard/sequences.ts';
import {
  closeClients,
  openAs,
  openServerHere,
  ownFolder,
  person,
  removeFolders,
  type ServerHere,
} from './client-terminal.ts';
import { Friend } from './friend.ts';
import { built } from './running-frontend.ts';
import type { TestTerminal } from './terminal.ts';

const SEED = Number(process.env.MILENA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
/** How long the session is; `MILENA_RANDOM_KEYS_SECONDS=600` for a long one. */
const SECONDS = Number(process.env.MILENA_RANDOM_KEYS_SECONDS ?? sized(5, 12));
/**
 * What is really held is the heap behind a collection. It grows up to what Ink remembers, 8,192 texts as they were measured
 * and as many as they were cut: some 5 MiB.
 */
const MAX_HEAP_GROWTH_MIB = 8;
/** With what the collector has not come to, and what it keeps for itself: bounded by how `milena` starts the client. */
const MAX_GROWTH_MIB = 24;
/**
 * Steps at which nobody looks, before and while it is measured. They leave 2 MiB, of compiled code and of what Ink remembers;
 * with all frames that were drawn it would be 6.
 */
const [FIRST_STEPS, QUICK_STEPS] = [100, 500];
const MAX_QUICK_GROWTH_MIB = 4;

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

const WORDS = ['word', 'longer-words', 'é', '漢字', ' ', '  ', 'x'.repeat(30), '!', '(a)', '/x', '\\'];
const SILENT = SEQUENCES.filter(
  ([, bytes, events]) =>
    Buffer.from(bytes, 'latin1').every((byte) => byte < 0x80) &&
    events.every(({ type }) => type === 'terminal-reply' || type === 'focus'),
).map(([, bytes]) => bytes);

/** A session: what is written in each conversation, as it has to be. */
class Session {
  readonly #terminal: TestTerminal;
  readonly #random: Random;
  readonly #friends: readonly Friend[];
  readonly #me: string;
  readonly #lines = new Map<string, InputLine>();
  #open: string;
  #columns = 80;
  #rows = 24;

  constructor(terminal: TestTerminal, random: Random, me: string, friends: readonly Friend[]) {
    this.#terminal = terminal;
    this.#random = random;
    this.#me = me;
    this.#friends = friends;
    this.#open = friends.at(-1)?.name ?? '';
  }

  /** Does something; gives back what, for the message of a failure. */
  async step(): Promise<string> {
    const random = this.#random;
    const terminal = this.#terminal;
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2: {
        const text = Array.from({ length: 1 + random.below(4) }, () => random.pick(WORDS)).join('');
        terminal.send(text);
        this.#edit({ type: 'insert', text });
        return `types ${JSON.stringify(text)}`;
      }
      case 3: {
        const lines = Array.from({ length: 1 + random.below(12) }, () => `\t${random.pick(WORDS)}.`);
        terminal.send(`\u001b[200~a${lines.join('\r')}\u001b[201~`);
        this.#edit({ type: 'insert', text: `a${lines.join('\n')}` });
        return `pastes ${lines.length} lines`;
      }
      case 4:
        return this.#key(
          random.pick([
            ['\u007f', 'backspace'],
            ['\u0017', 'delete-word'],
            ['\u001b\r', 'newline'],
            ['\u001b[D', 'left'],
            ['\u0001', 'home'],
            ['\u0005', 'end'],
            ['\u001bb', 'word-left'],
            ['\u0015', 'delete-to-start'],
            ['\u0019', 'yank'],
            ['\u001f', 'undo'],
            ['\u001bu', 'upcase-word'],
            ['\u0014', 'transpose-chars'],
          ] as const),
        );
      case 5: {
        const key = random.pick(['\u001b[1;3A', '\u001b[1;3B', '\u001b1', '\u001b2']);
        terminal.send(key);
        await terminal.settled();
        await terminal.until(() => expect(this.#openOnScreen).not.toBeNull());
        await terminal.settled();
        const open = this.#openOnScreen ?? '';
        if (open !== this.#open) this.#turnTo(open);
        return `goes to ${open}`;
      }
      case 6: {
        const friend = random.pick(this.#friends);
        const before = friend.delivered;
        friend.write(this.#me, random.pick(['short', 'word '.repeat(40), 'three\n\tlines\n\n漢字']));
        // Of the thousandth unread message nothing need be seen.
        await terminal.until(() => expect(friend.delivered).toBeGreaterThan(before));
        return `${friend.name} writes`;
      }
      case 7:
        this.#columns = 40 + random.below(90);
        this.#rows = 10 + random.below(30);
        terminal.resize(this.#columns, this.#rows);
        return `resizes to ${this.#columns}x${this.#rows}`;
      case 8: {
        const keys = random.pick([
          '\u001b[<64;50;5M',
          '\u001b[<65;50;5M',
          '\u001b[5~',
          '\u001b[6~',
          '\u001b<',
          '\u001b>',
        ]);
        terminal.send(keys);
        return `scrolls ${JSON.stringify(keys)}`;
      }
      case 9: {
        const bytes = random.pick(SILENT);
        const cut = 1 + random.below(bytes.length - 1);
        terminal.send(bytes.slice(0, cut));
        await sleep(random.pick([0, 10, 50, 150]));
        terminal.send(bytes.slice(cut));
        return `gets ${JSON.stringify(bytes)}, cut at ${cut}`;
      }
      case 10: {
        const text = this.#line.text;
        const isCommand = /^\s*\/|^\s*$/.test(text);
        if (isCommand) return 'nothing';
        terminal.send('\r');
        // What was cut can still be put back.
        this.#lines.set(this.#open, { ...EMPTY_INPUT, killed: this.#line.killed });
        return 'sends';
      }
      default:
        terminal.send('\u000c');
        return 'redraws';
    }
  }

  /** The draft stands there, and everything drawn anew is the same. */
  async expectRight(): Promise<void> {
    const terminal = this.#terminal;
    await terminal.until(() => expect(this.#shown()).toEqual(this.#expected()));
    // A line of one's own changes once more, when its recipient has it.
    await terminal.until(() =>
      expect(terminal.rows.filter((row) => / [⧖✓]$|\d\d:\d\d .* …$/.test(row))).toEqual([]),
    );
    await terminal.settled();
    const before = terminal.rows;
    terminal.send('\u000c');
    await terminal.settled();
    await terminal.until(() => expect(terminal.rows).toEqual(before));
  }

  /** Whose conversation the prompt names; null while nothing is drawn. */
  get #openOnScreen(): string | null {
    return /^ (\w+) › ?/m.exec(terminalEnd(this.#terminal))?.[1] ?? null;
  }

  get #line(): InputLine {
    return this.#lines.get(this.#open) ?? EMPTY_INPUT;
  }

  #key([bytes, type]: readonly [string, InputAction['type']]): string {
    this.#terminal.send(bytes);
    this.#edit({ type } as InputAction);
    return `presses ${type}`;
  }

  #edit(action: InputAction): void {
    this.#lines.set(this.#open, editInput(this.#line, action, this.#inputColumns));
  }

  /** What one comes back to has nothing to undo, and the cursor at its end. */
  #turnTo(name: string): void {
    const { killed } = this.#line;
    this.#open = name;
    this.#lines.set(name, { ...editInput(EMPTY_INPUT, { type: 'set', text: this.#line.text }), killed });
  }

  get #prompt(): string {
    return ` ${this.#open} › `;
  }

  get #inputColumns(): number {
    return this.#columns - cells(this.#prompt);
  }

  #expected(): string[] {
    const { rows } = viewInput(this.#line, this.#inputColumns, maxInputRows({ rows: this.#rows }));
    const blank = ' '.repeat(cells(this.#prompt));
    return rows.map((row, index) => `${index === 0 ? this.#prompt : blank}${row}`.trimEnd());
  }

  #shown(): string[] {
    return this.#terminal.rows.slice(-1 - this.#expected().length, -1);
  }
}

/** Where the input is, however many rows it has. */
function terminalEnd(terminal: TestTerminal): string {
  return terminal.rows.slice(-10).join('\n');
}

/** Of the process, in MiB; null where no system tells. */
function memoryOf(pid: number): number | null {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return null;
  }
}

/** The client of a person, and two others with whom a conversation is open. */
class Scene {
  readonly me: string;
  readonly friends: readonly Friend[];
  readonly terminal: TestTerminal;
  readonly #heapFile: string;

  private constructor(terminal: TestTerminal, me: string, friends: readonly Friend[], heapFile: string) {
    this.terminal = terminal;
    this.me = me;
    this.friends = friends;
    this.#heapFile = heapFile;
  }

  static async open(): Promise<Scene> {
    const me = person('anna');
    const heapFile = join(ownFolder(), 'heap');
    const report = join(import.meta.dirname, 'programs/heap-report.ts');
    const env = { NODE_OPTIONS: `--import "${report}"`, MILENA_TEST_HEAP_FILE: heapFile };
    const terminal = await openAs(me, frontend.address.port, { env });
    const friends: Friend[] = [];
    for (const stem of ['ben', 'carol']) {
      const friend = await Friend.create(person(stem), frontend.address);
      onTestFinished(() => friend.close());
      friends.push(friend);
      terminal.type(`/msg ${friend.name}\r`);
      await terminal.shows(new RegExp(`^ ${friend.name} › *$`, 'm'));
      terminal.type('hello\r');
      await terminal.shows(/hello +✓✓$/m);
    }
    return new Scene(terminal, me, friends, heapFile);
  }

  /** MiB of the heap that are used once what is garbage is collected. */
  async heap(): Promise<number> {
    rmSync(this.#heapFile, { force: true });
    process.kill(this.terminal.pid, 'SIGUSR2');
    await this.terminal.until(() => expect(existsSync(this.#heapFile)).toBe(true));
    return Number(readFileSync(this.#heapFile, 'utf8')) / 2 ** 20;
  }
}

test(`${SECONDS} s of anything`, { timeout: SECONDS * 1_000 + 120_000 }, async () => {
  const scene = await Scene.open();
  const { terminal, me, friends } = scene;
  const session = new Session(terminal, new Random(SEED), me, friends);
  const end = performance.now() + SECONDS * 1_000;
  const { pid } = terminal;
  const steps: string[] = [];
  let began: { readonly all: number | null; readonly heap: number } | null = null;
  while (performance.now() < end) {
    steps.push(await session.step());
    await session.expectRight().catch((error: unknown) => {
      throw new Error(`seed ${SEED}, the last steps: ${steps.slice(-8).join('; ')}`, { cause: error });
    });
    // The first frames of each kind take memory once.
    if (performance.now() > end - SECONDS * 750) began ??= { all: memoryOf(pid), heap: await scene.heap() };
  }
  expect(steps.length).toBeGreaterThan(3);
  if (began === null) return;
  const [all, heap] = [memoryOf(pid), await scene.heap()];
  const said = `${steps.length} steps; resident ${began.all} to ${all} MiB; heap ${began.heap} to ${heap} MiB`;
  if (process.env.MILENA_RANDOM_KEYS_SECONDS !== undefined) console.log(said);
  expect(heap - began.heap, said).toBeLessThan(MAX_HEAP_GROWTH_MIB);
  if (began.all !== null && all !== null) expect(all - began.all, said).toBeLessThan(MAX_GROWTH_MIB);
});

/** Something that is not waited for, and everything drawn anew. */
async function hurry({ terminal, me, friends }: Scene, random: Random): Promise<void> {
  const kind = random.below(6);
  if (kind === 0)
    random.pick(friends).write(me, random.pick(['short', 'word '.repeat(40), 'three\n\tlines\n\n漢字']));
  else if (kind === 1) terminal.resize(40 + random.below(90), 10 + random.below(30));
  else if (kind === 2)
    terminal.send(random.pick(['\u001b1', '\u001b2', '\u001b[5~', '\u001b[6~', '\u001b<', '\u001b>']));
  else if (kind === 3) terminal.send('\u0001a\u0005\r');
  else if (kind === 4) terminal.send(random.pick(['\u0015', '\u0019', '\u001f', '\u0017', '\u001b\r']));
  else terminal.send(Array.from({ length: 1 + random.below(4) }, () => random.pick(WORDS)).join(''));
  await sleep(5);
  terminal.send('\u000c');
  await sleep(25);
}

inFull(
  'nothing is held of what is over',
  async () => {
    const scene = await Scene.open();
    const random = new Random(SEED);
    for (let step = 0; step < FIRST_STEPS; step++) await hurry(scene, random);
    const before = await scene.heap();
    for (let step = 0; step < QUICK_STEPS; step++) await hurry(scene, random);
    expect((await scene.heap()) - before, `seed ${SEED}`).toBeLessThan(MAX_QUICK_GROWTH_MIB);
  },
  240_000,
);
