import type { ChatController } from '../chat/chat-controller.ts';
import { asText, commandWords } from '../chat/commands.ts';
import type { Peer } from '../history/types.ts';
import { stepCompletion, type TypedName, typedName } from './completion.ts';
import { startSearch, stepSearch } from './entered-search.ts';
import type { InputAction } from './input-line.ts';
import type { KeyAction } from './keys.ts';
import type { ScreenModel } from './screen-model.ts';

const PASTE_IS_TEXT = 'A paste is text: the second / is not sent. Without it this would be a command.';

type Controller = Pick<ChatController, 'say' | 'names'>;

/** What the person writes: edits of the line, pastes, Tab, and looking in what was entered before. */
export class Typing {
  readonly #model: ScreenModel;
  readonly #controller: Controller;
  readonly #draw: () => void;
  #saidPasteIsText = false;
  /** The line as a paste has left it that ends in a line break. */
  #pasted: string | null = null;

  /** @param draw shows what has changed later than the key that asked for it */
  constructor(model: ScreenModel, controller: Controller, draw: () => void) {
    this.#model = model;
    this.#controller = controller;
    this.#draw = draw;
  }

  edit(action: InputAction): void {
    if (this.#model.screen.picked !== null) this.#model.update({ type: 'list' });
    this.#model.update({ type: 'edit', action });
    const { question, input, answer } = this.#model.screen;
    if (action.type === 'insert' && (question === null ? input : answer).isFull) {
      this.#controller.say('error', 'A message cannot be longer: the end of what you pasted is not in it.');
    }
    if (question === null) this.#model.keepDraftSoon();
  }

  /** A paste is never a command: one that looks like one gets the second slash that a text has. */
  paste(text: string): void {
    const { question, input } = this.#model.screen;
    const isFirst = question === null && input.text.slice(0, input.cursor).trim() === '';
    const pasted = isFirst ? asText(text) : text;
    this.edit({ type: 'insert', text: pasted });
    const { text: line, cursor } = this.#model.screen.input;
    this.#pasted = question === null && cursor === line.length && line.endsWith('\n') ? line : null;
    if (pasted === text || this.#saidPasteIsText) return;
    this.#saidPasteIsText = true;
    this.#controller.say('info', PASTE_IS_TEXT);
  }

  /** What is sent: of a paste, behind which nothing was typed, without the empty lines at its end. */
  get sent(): string {
    const { text } = this.#model.screen.input;
    return text === this.#pasted ? text.replace(/\n+$/, '') : text;
  }

  /** Begins to look in what was entered. */
  search(): void {
    this.#model.update({ type: 'search', ...startSearch(this.#model.screen.input) });
  }

  /** Whether a key belongs to the search in what was entered; any other one ends that. */
  searches(action: KeyAction): boolean {
    const { search, input } = this.#model.screen;
    if (search === null || action.type === 'redraw') return false;
    const next = stepSearch({ search, input }, action);
    this.#model.update({ type: 'search', ...(next ?? { search: null, input }) });
    this.#model.keepDraftSoon();
    return next !== null;
  }

  complete(by: 1 | -1): void {
    const { input, completion } = this.#model.screen;
    const typed = typedName(input, completion, commandWords());
    const others = typed === null ? [] : this.#askFor(typed);
    const isKnown =
      typed !== null && this.#known(typed).some((name) => name.startsWith(typed.typed.toLowerCase()));
    // What is typed right behind Tab belongs behind the name: only where there is none it waits for the server's.
    if (isKnown || !(others instanceof Promise)) {
      this.#completeWith(by, others instanceof Promise ? [] : others);
      return;
    }
    void others.then((names) => {
      if (this.#model.screen.input !== input || this.#model.screen.question !== null) return;
      this.#completeWith(by, names);
      this.#draw();
    });
  }

  /** @param others of the server: people never talked to, and rooms never entered */
  #completeWith(by: 1 | -1, others: readonly string[]): void {
    const { input, completion, chat } = this.#model.screen;
    const isRoom = (name: string) => name.startsWith('#');
    const names = [...this.#speakers(), ...this.#names('user'), ...others.filter((name) => !isRoom(name))];
    const rooms = [...this.#names('room'), ...others.filter(isRoom)];
    const addressed = chat.to?.kind === 'room' ? names : [];
    const source = { commands: commandWords(), names, rooms, addressed };
    this.#model.update({ type: 'complete', ...stepCompletion(input, completion, by, source) });
  }

  #askFor({ typed, kind }: TypedName): readonly string[] | Promise<readonly string[]> {
    const { to } = this.#model.screen.chat;
    const room = to?.kind === 'room' ? to.name : null;
    const { names } = this.#controller;
    switch (kind) {
      case 'room-word':
        return [];
      case 'address':
        return room === null ? [] : names.members(room, typed);
      case 'mention':
        return room === null ? names.people(typed) : names.members(room, typed);
      case 'name':
        return names.people(typed);
      case 'room':
        return names.rooms(typed);
      case 'either':
        return typed.startsWith('#') ? names.rooms(typed) : names.people(typed);
    }
  }

  /** What is known here of what could stand there. */
  #known({ kind }: TypedName): readonly string[] {
    if (kind === 'room') return this.#names('room');
    const names = [...this.#speakers(), ...this.#names('user')];
    return kind === 'either' ? [...names, ...this.#names('room')] : names;
  }

  #names(wanted: Peer['kind']): string[] {
    return this.#model.refresh().flatMap(({ peer: { kind, name } }) => (kind === wanted ? [name] : []));
  }

  /** Who has said something in the open room, whoever did last first. */
  #speakers(): string[] {
    return this.#model.pane.timeline.speakers;
  }
}
