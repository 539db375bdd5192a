import { Bursts, isInput } from './bursts.ts';
import { Decoder } from './decoder.ts';
import type { InputEvent, TerminalReply } from './input-event.ts';

/** Pastes with marks around them; whether the window is looked at. */
const MODES = [2004, 1004];
/** Presses and the wheel, as text of any size. Shift keeps them for the terminal, which selects. */
const MOUSE_MODES = [1000, 1006];
/** The wheel as arrow keys, which most terminals have on: it would go through what was entered. */
const WHEEL_AS_ARROWS = 1007;
const IS_SET = 1;
/** What is there to read so soon was typed before; a busy machine takes longer to look for the first time. */
const AHEAD_MS = 100;

const on = (modes: readonly number[]) => modes.map((mode) => `\u001b[?${mode}h`).join('');
const off = (modes: readonly number[]) => modes.map((mode) => `\u001b[?${mode}l`).join('');

/** The terminal as a program has it that draws all of it: no echo, keys as they come, and its modes. */
export class Terminal {
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  readonly #hasMouse: boolean;
  readonly #onEvents: (events: readonly InputEvent[]) => void;
  readonly #replies = new Set<(reply: TerminalReply) => void>();
  #keyboard: Keyboard | null = null;
  #began = 0;
  #isFirst = true;
  #hasLooked = false;
  #hadArrows = false;
  #leavesMouse = false;
  #hasAsked = false;
  #hadIt = false;

  /** @param onEvents gets what the person does; what the terminal answers goes to those who listen for it */
  constructor(
    input: NodeJS.ReadStream,
    output: NodeJS.WriteStream,
    hasMouse: boolean,
    onEvents: (events: readonly InputEvent[]) => void,
  ) {
    this.#input = input;
    this.#output = output;
    this.#hasMouse = hasMouse;
    this.#onEvents = onEvents;
  }

  /** Calls `listener` with each answer of the terminal, from `begin` on; what it gives back ends that. */
  onReply(listener: (reply: TerminalReply) => void): () => void {
    this.#replies.add(listener);
    return () => void this.#replies.delete(listener);
  }

  /** Says something that is not drawn. */
  write(text: string): void {
    this.#output.write(text);
  }

  /** Takes the terminal; again after `end`. Nothing must have been drawn before: it could be garbled by an echo. */
  begin(): void {
    if (this.#keyboard !== null) return;
    this.#keyboard = new Keyboard((events) => this.#take(events));
    this.#began = performance.now();
    this.#isFirst = true;
    // A shell that had it meanwhile may have changed it behind Node's back.
    if (this.#hadIt) this.#input.setRawMode(false);
    this.#hadIt = true;
    this.#input.setRawMode(true);
    this.#output.write(on(MODES) + this.#mouse(true));
    this.#input.on('data', this.#read);
    this.#input.resume();
    this.#hasLooked = false;
    // The loop has looked at the terminal between two of these.
    setImmediate(() => setImmediate(() => setImmediate(this.#looked)));
  }

  /** Leaves it as it was. */
  end(): void {
    if (this.#keyboard === null) return;
    this.#keyboard.close();
    this.#keyboard = null;
    this.#input.off('data', this.#read);
    this.#input.pause();
    this.#output.write(this.#mouse(false) + off(MODES));
    try {
      this.#input.setRawMode(false);
    } catch {
      // The window is closed.
    }
  }

  /** The mouse is the terminal's for a while, which selects with it; false: it is as it was. */
  leaveMouse(leaves: boolean): void {
    const before = this.#mouse(false);
    this.#leavesMouse = leaves;
    if (this.#keyboard !== null) this.#output.write(before + this.#mouse(true));
  }

  /** Takes the mouse, or leaves it as it was; where it is the terminal's, its wheel as arrows. */
  #mouse(takes: boolean): string {
    if (this.#hasMouse && !this.#leavesMouse) return takes ? on(MOUSE_MODES) : off(MOUSE_MODES);
    if (takes) {
      // Once: who asks often may be away, or stopped, when the answer comes.
      const asked = this.#hasAsked ? '' : `\u001b[?${WHEEL_AS_ARROWS}$p`;
      this.#hasAsked = true;
      return `${asked}\u001b[?${WHEEL_AS_ARROWS}s${off([WHEEL_AS_ARROWS])}`;
    }
    return this.#hadArrows ? on([WHEEL_AS_ARROWS]) : `\u001b[?${WHEEL_AS_ARROWS}r`;
  }

  readonly #looked = (): void => {
    this.#hasLooked = true;
  };

  readonly #read = (bytes: Buffer): void => {
    const isSoon = !this.#hasLooked || performance.now() - this.#began < AHEAD_MS;
    const isAhead = this.#isFirst && isSoon;
    this.#isFirst = false;
    if (isAhead) this.#keyboard?.pushAhead(bytes);
    else this.#keyboard?.push(bytes);
  };

  #take(events: readonly InputEvent[]): void {
    const done: InputEvent[] = [];
    for (const event of events) {
      if (event.type !== 'terminal-reply') {
        done.push(event);
        continue;
      }
      const { reply } = event;
      if (reply.kind === 'mode' && reply.mode === WHEEL_AS_ARROWS) this.#hadArrows = reply.value === IS_SET;
      for (const listener of this.#replies) listener(reply);
    }
    if (done.length > 0) this.#onEvents(done);
  }
}

/**
 * The decoder with a clock: bytes in, events out, also those that only time brings: a lone Escape, the end of a paste.
 */
export class Keyboard {
  readonly #decoder = new Decoder();
  readonly #bursts = new Bursts();
  readonly #on: (events: readonly InputEvent[]) => void;
  readonly #clock: () => number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param clock milliseconds that do not go back */
  constructor(on: (events: readonly InputEvent[]) => void, clock: () => number = () => performance.now()) {
    this.#on = on;
    this.#clock = clock;
  }

  /** What one read has brought. */
  push(bytes: Uint8Array): void {
    const now = this.#clock();
    this.#tell(this.#bursts.push(this.#decoder.push(bytes, now), now));
  }

  /**
   * What was typed before anybody read: several lines at once are no paste. The terminal may have made LF of Enter.
   */
  pushAhead(bytes: Uint8Array): void {
    const events = this.#decoder.push(bytes, this.#clock());
    this.#tell(
      events
        .filter(isInput)
        .map((event) =>
          event.type === 'key' && event.key === 'ctrl+j' ? { type: 'key', key: 'enter' } : event,
        ),
    );
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #tell(events: readonly InputEvent[]): void {
    if (events.length > 0) this.#on(events);
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const due = [this.#decoder.dueAt, this.#bursts.dueAt].filter((at) => at !== null);
    if (due.length === 0 || this.#closed) return;
    const wait = Math.max(1, Math.ceil(Math.min(...due) - this.#clock()));
    // First what may lie there to be read: it came before the time was over.
    this.#timer = setTimeout(() => setImmediate(() => this.#tick()), wait);
  }

  #tick(): void {
    if (this.#closed) return;
    const now = this.#clock();
    const decoded = this.#decoder.tick(now);
    this.#tell([...this.#bursts.tick(now), ...(decoded.length > 0 ? this.#bursts.push(decoded, now) : [])]);
  }
}
