import type { ChatController } from '../chat/chat-controller.ts';
import type { Found } from '../history/search.ts';
import { isSame, type Peer, type StoredMessage } from '../history/types.ts';
import { type HitPage, nothingFound, searchPage } from './hits.ts';
import type { ScreenModel } from './screen-model.ts';

/** From what a search has found to the messages, and from one to the next. */
export class HitWalk {
  readonly #model: ScreenModel;
  readonly #controller: Pick<ChatController, 'say' | 'turnTo'>;
  /** For another look at it. */
  #last: HitPage | null = null;

  constructor(model: ScreenModel, controller: Pick<ChatController, 'say' | 'turnTo'>) {
    this.#model = model;
    this.#controller = controller;
  }

  /** Shows what a search has found; null: what one has found last. */
  found(found: Found<StoredMessage> | null): void {
    const page = found === null ? this.#last : searchPage(found);
    if (page !== null) this.#model.update({ type: 'page', page });
    else this.#controller.say('info', found === null ? 'Usage: /search WORDS' : nothingFound(found));
    this.#last = page;
  }

  /** Shows the message that is picked; of a search, from there on keys lead to the others. */
  goTo(page: HitPage): void {
    const hit = page.hits[page.picked];
    if (hit === undefined) return;
    if (page.query !== null) this.#last = page;
    this.#model.update({ type: 'walk', walk: page.query === null ? null : page });
    this.#controller.turnTo(hit.peer);
    this.#model.pane.toMessage(hit.id, this.#model.screen);
  }

  /** To the hit behind or before the one that is shown. */
  goOn(by: 1 | -1): void {
    const { walk } = this.#model.screen;
    const page = walk ?? this.#last;
    if (page === null) {
      this.#controller.say('info', 'Nothing was looked for: /search WORDS.');
      return;
    }
    this.#model.update({ type: 'page', page: null });
    const picked = walk === null ? page.picked : page.picked + by;
    if (picked >= 0 && picked < page.hits.length) this.goTo({ ...page, picked });
  }

  /** What was found in a conversation that is not in the history any more is not found any longer, either. */
  forgotten(peer: Peer): void {
    if (!this.#last?.hits.some((hit) => isSame(hit.peer, peer))) return;
    this.#last = null;
    this.#model.update({ type: 'walk', walk: null });
  }

  /** Somebody else is at the keys. */
  forget(): void {
    this.#last = null;
  }
}
