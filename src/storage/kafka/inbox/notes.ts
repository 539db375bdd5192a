import type { Logger } from 'pino';
import type { Account } from '../../../core/accounts.ts';
import type { OutgoingMessage } from '../../../core/inboxes.ts';
import type { Note } from '../../../core/notes.ts';
import type { Appender } from '../produce/appender.ts';
import { reasonOf } from '../wire/retry.ts';
import { RareWarning } from '../wire/trouble.ts';
import { encodeNote } from './note-record.ts';
import type { Trust } from './trust.ts';

export interface NotesOptions {
  readonly appender: Pick<Appender, 'append'>;
  readonly trust: Trust;
  readonly log: Logger;
  /** Name of an account's inbox topic. */
  readonly topicOf: (account: Account) => string;
}

/** What is left in an account's inbox for its devices. */
export class Notes {
  readonly #options: NotesOptions;
  readonly #lost: RareWarning;

  constructor(options: NotesOptions) {
    this.#options = options;
    this.#lost = new RareWarning((fields) =>
      options.log.warn(fields, 'what was sent is not shown elsewhere'),
    );
  }

  /** @throws EngineError as `Appender.append` */
  async append(owner: Account, device: string | undefined, note: Note): Promise<void> {
    const { appender, trust, topicOf } = this.#options;
    const record = encodeNote(trust.signer, owner, device, note, new Date(trust.clock.now()));
    const { offset } = await appender.append(topicOf(owner), record, owner.topicId);
    trust.recent.note(record.signature, offset);
  }

  /** Tells the sender's other devices of a message that is appended in this same turn. A copy that is lost comes with a repeat. */
  copy(from: Account, device: string | undefined, to: Account, message: OutgoingMessage): void {
    const { id, body, contentType } = message;
    const { name, incarnation: toIncarnation } = to;
    this.append(from, device, { kind: 'sent', id, to: name, toIncarnation, body, contentType }).catch(
      (error: unknown) => this.#lost.note({ user: from.name, reason: reasonOf(error) }),
    );
  }
}
