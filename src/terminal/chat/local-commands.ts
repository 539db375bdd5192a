import { ClientError } from '../../client/index.ts';
import type { History } from '../history/history.ts';
import { parseSearch } from '../history/search.ts';
import { type NotifyLevel, type Peer, usualLevel } from '../history/types.ts';
import { isYes } from '../yes.ts';
import type { LocalCommand } from './commands.ts';
import type { Display, View } from './display.ts';
import { exportTo } from './export-file.ts';
import type { LongWork } from './long-work.ts';
import { Outside, type OutsideOptions } from './outside.ts';
import { yesOrNo } from './questions.ts';
import { countOf, nameOf, progress } from './words.ts';

/** Of what a search has found, the newest ones that are shown. */
const MAX_FOUND = 200;
/** What a notification level means. */
const NOTIFY_WORDS: Readonly<Record<NotifyLevel, string>> = {
  all: 'is heard: bell and count for every message.',
  highlights: 'is heard for your name and your words only.',
  nothing: 'is muted: no bell, and not in the count. /mute again ends it.',
};

/** What needs no server: done with the history on this machine. */
export class LocalCommands {
  readonly outside: Outside;
  readonly #display: Display;
  readonly #view: View;
  readonly #work: LongWork;

  constructor(display: Display, view: View, work: LongWork, outside: OutsideOptions) {
    this.#display = display;
    this.#view = view;
    this.#work = work;
    this.outside = new Outside(display, view, work, outside);
  }

  /** @throws ClientError */
  carryOut(command: LocalCommand, history: History): Promise<void> | void {
    if (command.type === 'search') {
      return command.words === '' ? this.#view.found(null) : this.#search(command.words, history);
    }
    const peer = this.#display.state.to;
    if (peer === null) throw new ClientError('INVALID', 'Open a conversation first: /msg NAME.');
    switch (command.type) {
      case 'open':
        return this.outside.open(history, peer, command.number);
      case 'copy':
        return this.outside.copyLast(history, peer);
      case 'export':
        return this.#export(command.file, history, peer);
      case 'mute': {
        const level = history.conversation(peer)?.notify ?? usualLevel(peer);
        return this.#notify(history, peer, level === 'nothing' ? usualLevel(peer) : 'nothing');
      }
      case 'notify':
        return this.#notify(history, peer, command.level);
      case 'read':
        return this.#view.readAll();
      case 'forget': {
        const takes = 'takes all of it out of the history on this machine';
        this.#display.ask(yesOrNo(`forget ${nameOf(peer)}?`, takes, 'keeps it'), (answer) => {
          if (!isYes(answer)) return this.#display.say('info', 'Nothing was done.');
          return this.#forget(history, peer);
        });
      }
    }
  }

  async #search(entered: string, history: History): Promise<void> {
    const search = parseSearch(entered, history.account, this.#display.now());
    if (typeof search === 'string') throw new ClientError('INVALID', search);
    const found = await this.#work.run(async (pause) => {
      for (const steps = history.find(search, MAX_FOUND); ; ) {
        const { done, value } = steps.next();
        if (done) return value;
        await pause(() => `searching: ${progress(value.done, value.all)}`);
      }
    });
    this.#view.found(found);
  }

  async #export(name: string, history: History, peer: Peer): Promise<void> {
    const { file, count } = await this.#work.run((pause) => exportTo(name, history, peer, pause));
    this.#display.say('info', `${countOf(count, 'message')} written to ${file}.`);
  }

  #notify(history: History, peer: Peer, level: NotifyLevel | null): void {
    if (level !== null) {
      history.notify(peer, level);
      this.#view.conversationChanged();
    }
    const now = level ?? history.conversation(peer)?.notify ?? usualLevel(peer);
    const what = peer.kind === 'room' ? 'The room' : 'The conversation with';
    this.#display.say('info', `${what} ${nameOf(peer)} ${NOTIFY_WORDS[now]}`);
  }

  async #forget(history: History, peer: Peer): Promise<void> {
    const upTo = history.conversation(peer)?.lastId ?? 0;
    const all = history.size(peer);
    this.#display.turnTo(null);
    await this.#work.run(async (pause) => {
      // Once: the person may open the conversation again while it is being forgotten.
      history.draft(peer, '');
      history.notify(peer, usualLevel(peer));
      for (let done = 0; ; ) {
        const removed = history.forget(peer, upTo);
        if (removed === 0) return;
        done += removed;
        await pause(() => `forgetting ${nameOf(peer)}: ${progress(done, all)}`);
      }
    });
    this.#view.forgotten(peer);
    this.#display.say(
      'info',
      `${countOf(all, 'message')} ${peer.kind === 'room' ? 'in' : 'with'} ${nameOf(peer)} forgotten.`,
    );
  }
}
