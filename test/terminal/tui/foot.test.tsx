/** What Ink and the foot write to one terminal: a real emulator shows what the frame is. */
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import xterm from '@xterm/headless';
import { render } from 'ink';
import { afterEach, expect, test, vi } from 'vitest';
import { App } from '../../../src/terminal/tui/app.tsx';
import { Drawing } from '../../../src/terminal/tui/drawing.ts';
import { Foot } from '../../../src/terminal/tui/foot.ts';
import type { ScreenFrame } from '../../../src/terminal/tui/frame.ts';
import { type Row, span, textOf } from '../../../src/terminal/tui/rows.ts';
import { ERASE_SCREEN } from '../../../src/terminal/tui/terminal-output.ts';
import { themeFor } from '../../../src/terminal/tui/theme.ts';
import { Random } from '../../protocol/random.ts';

const LOOKS = { theme: themeFor('dark', {}, 24), signs: 'unicode', links: false, colorDepth: 24 } as const;
const [COLUMNS, ROWS] = [40, 10];
const seed = Number(process.env.MILENA_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A terminal of that size as a stream. */
class Screen extends Writable {
  readonly isTTY = true;
  readonly columns = COLUMNS;
  readonly rows = ROWS;
  output = '';
  readonly #terminal = new xterm.Terminal({
    cols: COLUMNS,
    rows: ROWS,
    convertEol: true,
    allowProposedApi: true,
  });

  override _write(bytes: Buffer, _: unknown, done: () => void): void {
    this.output += bytes.toString();
    this.#terminal.write(bytes.toString(), done);
  }

  get text(): string[] {
    const { active } = this.#terminal.buffer;
    return Array.from(
      { length: ROWS },
      (_, row) =>
        active
          .getLine(active.baseY + row)
          ?.translateToString(true)
          .trimEnd() ?? '',
    );
  }

  get cursor(): { x: number; y: number } {
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    return { x: cursorX, y: cursorY };
  }
}

class Scene {
  readonly screen = new Screen();
  frame: ScreenFrame;
  readonly drawing: Drawing;
  readonly app;
  readonly foot: Foot;

  constructor(first: ScreenFrame) {
    this.frame = first;
    this.drawing = new Drawing(() => this.frame);
    this.drawing.now();
    const out = this.screen as unknown as NodeJS.WriteStream;
    this.foot = new Foot(out, this.drawing, LOOKS);
    const chat = { subscribe: this.drawing.subscribe, resize: () => undefined };
    this.app = render(<App chat={chat} getRows={this.drawing.getBody} looks={LOOKS} />, {
      stdout: this.foot.gate,
      alternateScreen: true,
      incrementalRendering: true,
      maxFps: 250,
      interactive: true,
      patchConsole: false,
    });
    // As the program does it when the size is another one.
    this.screen.prependListener('resize', () => {
      this.app.clear();
      this.screen.write(ERASE_SCREEN);
      this.foot.erased();
    });
    ends.push(() => {
      this.foot.end();
      this.app.unmount();
    });
  }

  show(frame: ScreenFrame): void {
    this.frame = frame;
    this.drawing.now();
  }

  async shows(told = ''): Promise<void> {
    const rows = this.frame.rows.map((row) => textOf(row).trimEnd());
    await vi.waitFor(
      () => expect([...this.screen.text, this.screen.cursor], told).toEqual([...rows, this.frame.cursor]),
      {
        timeout: 5_000,
        interval: 2,
      },
    );
  }
}

function frameOf(body: readonly string[], input: readonly string[]): ScreenFrame {
  const rows = [...body, ...input].map((text): Row => (text === '' ? [] : [span(text)]));
  const last = input.at(-2) ?? '';
  return { rows, foot: body.length, cursor: { x: last.length, y: ROWS - 2 } };
}

test('what is written is seen though Ink draws nothing', async () => {
  const body = Array.from({ length: ROWS - 2 }, (_, row) => `message ${row}`);
  const scene = new Scene(frameOf(body, [' > ', ' hints']));
  await scene.shows();
  const rows = scene.drawing.getBody();
  scene.screen.output = '';
  scene.show(frameOf(body, [' > a', ' hints']));
  await scene.shows();
  // Ink has nothing that is new to it, and of the messages nothing was written.
  expect(scene.drawing.getBody()).toBe(rows);
  expect(scene.screen.output).not.toContain('message');
});

test('whatever changes, and in whichever order both draw it, the screen is the frame', {
  timeout: 60_000,
}, async () => {
  const random = new Random(seed);
  const words = (most: number) =>
    Array.from({ length: random.below(most) }, () => random.pick(['a', 'bc', '漢', 'é', ' '])).join('');
  let height = 2;
  let body = Array.from({ length: ROWS }, () => words(15));
  const next = () => {
    if (random.below(3) === 0) height = 2 + random.below(4);
    if (random.below(3) === 0) body = body.with(random.below(ROWS), words(15));
    const input = Array.from({ length: height }, () =>
      random.below(4) === 0 ? '' : words(10).replace(/漢/g, 'x'),
    );
    return frameOf(body.slice(0, ROWS - height), input);
  };
  const scene = new Scene(next());
  for (let step = 0; step < 150; step++) {
    // Some are passed over before Ink has drawn them.
    for (let count = random.below(4); count > 0; count--) scene.show(next());
    if (random.below(10) === 0) {
      scene.screen.emit('resize');
    }
    if (random.below(10) === 0) scene.drawing.anew(COLUMNS, ROWS);
    if (random.below(2) === 0) await sleep(random.below(8));
    scene.show(next());
    await scene.shows(`seed ${seed}, step ${step}`);
  }
});
