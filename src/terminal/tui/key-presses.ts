import type { ChatController } from '../chat/chat-controller.ts';
import { isSame, nextToRead } from '../history/types.ts';
import type { Bare } from './bare-view.ts';
import { stepCompletion } from './completion.ts';
import { conversationAt, messageHeight } from './frame.ts';
import type { HitWalk } from './hit-walk.ts';
import { activityPage } from './hits.ts';
import type { InputAction } from './input-line.ts';
import type { KeyAction } from './keys.ts';
import type { ScreenModel } from './screen-model.ts';
import { Typing } from './typing.ts';

/** What of the terminal, and of the program, keys can ask for. */
export interface AroundKeys {
  readonly bare: Bare;
  /** Gives the terminal back to the shell for a while. */
  readonly suspend: () => void;
  readonly quit: () => void;
  /** Each row anew: something else wrote on the terminal. */
  readonly redraw: () => void;
  /** Shows what has changed later than the key that asked for it. */
  readonly draw: () => void;
}

/** Carries out what keys ask for, on the screen and in the chat. */
export class KeyPresses {
  readonly #model: ScreenModel;
  readonly #controller: ChatController;
  readonly #walk: HitWalk;
  readonly #around: AroundKeys;
  readonly #typing: Typing;

  constructor(model: ScreenModel, controller: ChatController, walk: HitWalk, around: AroundKeys) {
    this.#model = model;
    this.#controller = controller;
    this.#walk = walk;
    this.#around = around;
    this.#typing = new Typing(model, controller, around.draw);
  }

  press(action: KeyAction): void {
    const { search, question, page, picked } = this.#model.screen;
    if (search !== null && this.#typing.searches(action)) return;
    const { pane } = this.#model;
    switch (action.type) {
      case 'quit':
        this.#around.quit();
        break;
      case 'cancel':
        this.#cancel();
        break;
      case 'end-of-input':
        this.#endOfInput();
        break;
      case 'submit':
        this.#enter();
        break;
      case 'newline':
        // An answer has one line: every kind of Enter ends it.
        if (question === null) this.#typing.edit(action);
        else this.#enter();
        break;
      case 'up':
      case 'down':
        if (page !== null || picked !== null) this.#pick(action.type === 'up' ? -1 : 1);
        else this.#typing.edit(action);
        break;
      case 'page-up':
      case 'page-down': {
        const direction = action.type === 'page-up' ? -1 : 1;
        if (page === null && picked === null) pane.page(direction);
        else this.#pick(direction * (messageHeight(this.#model.screen, false) - 1));
        break;
      }
      case 'scroll':
        if (page?.type === 'text') this.#pick(action.rows);
        else if (page !== null || picked !== null) this.#pick(Math.sign(action.rows));
        else pane.scroll(action.rows);
        break;
      case 'click':
        this.#click(action.column, action.row);
        break;
      case 'top':
        pane.toStart();
        break;
      case 'bottom':
        pane.toEnd();
        break;
      case 'toggle-list':
        this.#model.refresh();
        this.#model.update({ type: 'list' });
        break;
      case 'next-unread':
        this.nextUnread();
        break;
      case 'first-unread':
        this.#firstUnread();
        break;
      case 'activity':
        this.activity();
        break;
      case 'next-hit':
        this.#walk.goOn(1);
        break;
      case 'previous-hit':
        this.#walk.goOn(-1);
        break;
      case 'links':
        if (question === null) this.#controller.carryOut({ type: 'open', number: null });
        break;
      case 'copy':
        if (question === null) this.#copy();
        break;
      case 'bare':
        this.#around.bare.show(pane.bare());
        break;
      case 'previous-conversation':
        this.#step(-1);
        break;
      case 'next-conversation':
        this.#step(1);
        break;
      case 'jump':
        this.#jump(action.index);
        break;
      case 'take-back':
        this.#controller.takeBack();
        break;
      case 'complete':
      case 'complete-back':
        if (question === null) this.#typing.complete(action.type === 'complete' ? 1 : -1);
        break;
      case 'redraw':
        this.#around.redraw();
        break;
      case 'suspend':
        this.#around.suspend();
        break;
      case 'search-entered':
        if (question === null && page === null && picked === null) this.#typing.search();
        break;
      case 'paste':
        this.#typing.paste(action.text);
        break;
      default:
        this.#typing.edit(action);
    }
  }

  /** Goes to what is unread next, here or in another conversation. */
  nextUnread(): void {
    this.#model.update({ type: 'page', page: null });
    const conversations = this.#model.refresh();
    if (this.#model.pane.nextUnread()) return;
    const next = nextToRead(conversations);
    if (next === undefined) this.#controller.say('info', 'Nothing is unread.');
    else this.#controller.turnTo(next.peer);
  }

  /** Shows what is unread or highlighted in all conversations. */
  activity(): void {
    const conversations = this.#model.refresh();
    const { history } = this.#model;
    const page = history === null ? null : activityPage(history, conversations);
    if (page === null)
      this.#controller.say('info', 'Nothing is unread, and nothing had your name or your words.');
    else this.#model.update({ type: 'page', page });
  }

  #firstUnread(): void {
    this.#model.update({ type: 'page', page: null });
    if (!this.#model.pane.firstUnread()) this.#controller.say('info', 'Nothing is unread here.');
  }

  #click(column: number, row: number): void {
    const { screen } = this.#model;
    const index = conversationAt(screen, column, row);
    if (index === null) return;
    if (screen.picked !== null) this.#model.update({ type: 'list' });
    const conversation = screen.conversations[index];
    if (conversation !== undefined) this.#controller.turnTo(conversation.peer);
  }

  #cancel(): void {
    const { question, page, picked, completion, walk, input } = this.#model.screen;
    if (completion !== null) {
      this.#model.update({ type: 'complete', ...stepCompletion(input, completion, 0) });
    } else if (page !== null) this.#model.update({ type: 'page', page: null });
    else if (picked !== null) this.#model.update({ type: 'list' });
    else if (question !== null) this.#leaveQuestion();
    else if (walk !== null) this.#model.update({ type: 'walk', walk: null });
  }

  #leaveQuestion(): void {
    // What the person throws away themselves is no half of a password that is still being typed.
    this.#change({ type: 'clear' });
    if (this.#model.screen.question?.isOver) this.#model.update({ type: 'go-on' });
    else this.#controller.leaveQuestion();
  }

  #endOfInput(): void {
    const { question, answer, input } = this.#model.screen;
    if ((question === null ? input : answer).text !== '') this.#typing.edit({ type: 'delete' });
    else if (question !== null) this.#leaveQuestion();
    else this.#around.quit();
  }

  #enter(): void {
    const { question, answer, page, picked, conversations } = this.#model.screen;
    const text = question === null ? this.#typing.sent : answer.text;
    if (page !== null) {
      // Nothing is sent that the page may hide.
      this.#model.update({ type: 'page', page: null });
      if (page.type === 'hits') this.#walk.goTo(page);
      const link = page.type === 'links' ? page.links[page.picked] : undefined;
      if (link !== undefined) this.#controller.outside((outside) => outside.openAddress(link.url));
      return;
    }
    if (picked !== null) {
      const chosen = conversations[picked];
      this.#model.update({ type: 'list' });
      if (chosen !== undefined) this.#controller.turnTo(chosen.peer);
      return;
    }
    if (question?.isOver) {
      this.#leaveQuestion();
      return;
    }
    if (question === null) {
      this.#change({ type: this.#controller.isMemorable(text) ? 'submit' : 'clear' });
      this.#model.keepDraft();
      this.#model.pane.saying();
      this.#model.update({ type: 'walk', walk: null });
    } else this.#change({ type: 'clear' });
    void this.#controller.enter(text);
  }

  /** The address that is chosen, or what /copy does. */
  #copy(): void {
    const { page } = this.#model.screen;
    const link = page?.type === 'links' ? page.links[page.picked] : undefined;
    if (link === undefined) this.#controller.carryOut({ type: 'copy' });
    else this.#controller.outside((outside) => outside.copy(link.url, 'the address'));
  }

  #pick(by: number): void {
    this.#model.update({ type: 'pick', by });
  }

  /** The line becomes another without anything being typed. */
  #change(action: InputAction): void {
    this.#model.update({ type: 'edit', action });
  }

  /** The conversation before or after the open one in the list. */
  #step(by: number): void {
    const conversations = this.#model.refresh();
    const { to } = this.#model.screen.chat;
    const at = conversations.findIndex(({ peer }) => isSame(peer, to));
    const next = conversations[at < 0 ? (by > 0 ? 0 : conversations.length - 1) : at + by];
    if (next !== undefined) this.#controller.turnTo(next.peer);
  }

  #jump(index: number): void {
    const peer = this.#model.screen.numbers[index];
    if (peer !== undefined) this.#controller.turnTo(peer);
  }
}
