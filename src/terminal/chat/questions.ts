import type { OnAnswer, Question, View } from './display.ts';

/** Lines that are kept for questions to come; more are dropped. */
const MAX_AHEAD = 10;
const ENDED = 'the login that this is about has ended: nothing will be done';
const WAITING = 'asking the server';

interface Asking {
  readonly question: Question;
  readonly answered: OnAnswer;
  /** The account that it is about. */
  readonly account: string | null;
  isStale: boolean;
}

/** An answer is being looked at; another question may follow. */
interface Waiting {
  readonly masked: boolean;
  /** Lines that the person has entered meanwhile. */
  readonly ahead: string[];
}

/**
 * What the person is asked, one thing at a time. From the first question of a row to the end of the last answer's work,
 * everything typed belongs to questions: nobody's password lands in a message because an answer took long or the
 * connection was lost while it was being typed.
 */
export class Questions {
  readonly #view: Pick<View, 'asked' | 'cancelKey'>;
  #asking: Asking | undefined;
  #waiting: Waiting | undefined;

  constructor(view: Pick<View, 'asked' | 'cancelKey'>) {
    this.#view = view;
  }

  /** Whether what is entered belongs to a question. */
  get isOpen(): boolean {
    return this.#asking !== undefined || this.#waiting !== undefined;
  }

  /** Whether the answer that is asked for may be a command instead. */
  get takesCommands(): boolean {
    return this.#asking?.question.orCommand === true;
  }

  /** Resolves when an answer that was typed ahead has been dealt with, at once if there is none. */
  async ask(question: Question, answered: OnAnswer, account: string | null): Promise<void> {
    const [before, waiting] = [this.#asking, this.#waiting];
    this.#asking = undefined;
    const left = before?.answered(null);
    // All of this at once: the next key press may come with this one.
    this.#asking = { question, answered, account, isStale: false };
    const first = waiting?.ahead.shift();
    if (first === undefined) {
      this.#waiting = undefined;
      // What was typed after a password is not shown as plain text.
      this.#view.asked(question, waiting !== undefined && (question.masked || !waiting.masked));
    }
    await left;
    if (first !== undefined) await this.answer(first, waiting?.ahead);
  }

  /**
   * The person has answered, or left the question (null). Resolves when the answer has been dealt with.
   * @param ahead further answers, if this one was typed ahead itself: what is being typed is behind all of them
   */
  async answer(text: string | null, ahead?: string[]): Promise<void> {
    const asking = this.#asking;
    if (asking === undefined) {
      if (text === null) this.#leaveWaiting(false);
      else if (this.#waiting !== undefined && this.#waiting.ahead.length < MAX_AHEAD)
        this.#waiting.ahead.push(text);
      return;
    }
    this.#asking = undefined;
    if (text === null || asking.isStale) {
      this.#view.asked(null, false);
      await asking.answered(null);
      return;
    }
    const waiting: Waiting = { masked: asking.question.masked, ahead: ahead ?? [] };
    this.#waiting = waiting;
    // Always behind dots: the next question may be for a password.
    const hint = `${WAITING} · ${this.#view.cancelKey} goes on without waiting`;
    this.#view.asked({ prompt: '…', hint, masked: true, isWaiting: true }, ahead !== undefined);
    let isDone = false;
    try {
      await asking.answered(text);
      isDone = true;
    } finally {
      // After a success it is what the person wants to say; otherwise it may be another try of a password.
      if (this.#waiting === waiting) this.#leaveWaiting(isDone);
    }
  }

  /** Another account is logged in to, or none: what is asked about the former one will not be done. */
  accountChanged(account: string | null): void {
    const asking = this.#asking;
    if (asking === undefined || asking.isStale || asking.account === account) return;
    asking.isStale = true;
    // It stays until the person leaves it: they may be in the middle of a password.
    const hint = `${ENDED} · ${this.#view.cancelKey} leaves`;
    this.#view.asked({ ...asking.question, hint }, true);
  }

  #leaveWaiting(keepsTyped: boolean): void {
    if (this.#waiting === undefined) return;
    this.#waiting = undefined;
    if (this.#asking === undefined) this.#view.asked(null, keepsTyped);
  }
}

/** A question whose answer nobody sees. */
export function secret(prompt: string, hint: string, again?: Question['again']): Question {
  return { prompt, hint, masked: true, ...(again === undefined ? {} : { again }) };
}

/** A question that only a typed `yes`, or `y`, answers with yes. */
export function yesOrNo(prompt: string, yes: string, no: string): Question {
  return { prompt, hint: `yes ${yes} · anything else ${no}`, masked: false };
}
