import type { Answered, Version } from '../adapters/version.ts';
import type { AnyCommand, Request } from '../commands/command.ts';
import type { ReplySlot } from './reply-queue.ts';

/** A request, what carries it out, and the place of its reply. */
export interface PendingRequest {
  readonly request: Request;
  readonly command: AnyCommand;
  readonly version: Version;
  readonly answered: Answered;
  readonly slot: ReplySlot;
}
