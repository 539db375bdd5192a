import { ClientError } from '../errors.ts';
import { sanitiseText } from '../sanitise.ts';
import type { Address } from '../socket.ts';
import type { ClientState } from '../state.ts';
import { commandsOf, parseCommand } from './commands.ts';
import type { Display, Face, MakeFace } from './face.ts';
import type { KeyAction } from './keys.ts';
import {
  emptyScreen,
  type NewLine,
  type Question,
  type Screen,
  type ScreenEvent,
  updateScreen,
} from './screen.ts';
import { wordsFor } from './words.ts';

/** A line with something behind the name, where people used to other programs type their password. */
const PASSWORD_TYPED = /^\s*\/(?:(?:create|login)\s+\S+|passwd)\s+\S/i;

/**
 * A person at a client: what they type goes to the face of the protocol's version, what that tells goes onto the screen.
 * It holds the screen's state and tells whoever draws it of each change.
 */
export class Chat implements Display {
  readonly #face: Face;
  readonly #quit: () => void;
  readonly #listeners = new Set<() => void>();
  #screen: Screen;
  /** Who waits for the answer to the screen's question, and which account it is about. */
  #asking: { answered: (text: string | null) => Promise<void> | void; account: string | null } | undefined;

  /** @param quit the person wants to leave */
  constructor(
    makeFace: MakeFace,
    address: Address,
    size: { columns: number; rows: number },
    quit: () => void,
  ) {
    const { host, port } = address;
    const server = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.#screen = emptyScreen(server, size.columns, size.rows);
    this.#quit = quit;
    this.#face = makeFace(this);
    this.#screen = { ...this.#screen, protocol: this.#face.protocol };
  }

  start(): void {
    this.#face.start();
  }

  close(): Promise<void> {
    return this.#face.close();
  }

  get screen(): Screen {
    return this.#screen;
  }

  readonly getScreen = (): Screen => this.#screen;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  resize(columns: number, rows: number): void {
    if (columns === this.#screen.columns && rows === this.#screen.rows) return;
    this.#update({ type: 'resize', columns, rows });
  }

  /** Carries out key presses, in order. */
  press(actions: readonly KeyAction[]): void {
    for (const action of actions) {
      switch (action.type) {
        case 'quit':
          this.quit();
          break;
        case 'cancel':
          this.#answer(null);
          break;
        case 'end-of-input':
          this.#endOfInput();
          break;
        case 'page-up':
        case 'page-down':
          this.#update(action);
          break;
        case 'submit':
          this.#enter();
          break;
        default:
          this.#update({ type: 'edit', action });
      }
    }
  }

  say(kind: 'info' | 'error', text: string): void {
    this.append({ at: Date.now(), kind, who: '', text: sanitiseText(text), fate: '' });
  }

  append(line: NewLine): number {
    const id = this.#screen.nextId;
    this.#update({ type: 'append', line });
    return id;
  }

  fate(id: number, fate: string): void {
    this.#update({ type: 'fate', id, fate });
  }

  state(state: ClientState): void {
    this.#update({ type: 'state', state });
    if (this.#asking !== undefined && this.#asking.account !== state.account) this.#answer(null);
  }

  turnTo(to: string | null): void {
    this.#update({ type: 'turn-to', to });
  }

  ask(question: Question, answered: (text: string | null) => Promise<void> | void): void {
    this.#answer(null);
    this.#asking = { answered, account: this.#screen.account };
    this.#update({ type: 'ask', question });
  }

  quit(): void {
    this.#quit();
  }

  #endOfInput(): void {
    const { question, answer, input } = this.#screen;
    if ((question === null ? input : answer).text !== '') {
      this.#update({ type: 'edit', action: { type: 'delete' } });
    } else if (question !== null) {
      this.#answer(null);
    } else {
      this.quit();
    }
  }

  #enter(): void {
    if (this.#screen.question !== null) {
      this.#answer(this.#screen.answer.text);
      return;
    }
    const { text } = this.#screen.input;
    const isSecret = PASSWORD_TYPED.test(text);
    this.#update({ type: 'edit', action: { type: isSecret ? 'clear' : 'submit' } });
    if (isSecret) {
      this.say('error', 'No password on this line: it is asked for afterwards, where nobody can read it.');
      return;
    }
    const command = parseCommand(text);
    switch (command.type) {
      case 'nothing':
        break;
      case 'mistake':
        this.say('error', command.text);
        break;
      case 'help':
        this.#help();
        break;
      default:
        this.#attempt(this.#face.carryOut(command));
    }
  }

  #answer(text: string | null): void {
    const asking = this.#asking;
    if (asking === undefined) return;
    this.#asking = undefined;
    this.#update({ type: 'ask', question: null });
    const done = asking.answered(text);
    if (done !== undefined) this.#attempt(done);
  }

  #help(): void {
    const commands = commandsOf(this.#face.protocol);
    const width = Math.max(...commands.map(([usage]) => usage.length));
    const wide = this.#screen.columns >= width + 64;
    const lines = commands.map(([usage, does]) =>
      wide ? `${usage.padEnd(width)}  ${does}` : `${usage}: ${does}`,
    );
    this.say('info', ['What you can type:', ...lines].join('\n'));
  }

  #attempt(doing: Promise<void>): void {
    doing.catch((error: unknown) => {
      if (!(error instanceof ClientError)) throw error;
      this.say('error', wordsFor(error));
    });
  }

  #update(event: ScreenEvent): void {
    this.#screen = updateScreen(this.#screen, event);
    for (const listener of this.#listeners) listener();
  }
}
