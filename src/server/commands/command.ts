/* What a request is to the server: a row of the table (table.ts), whatever the version of the protocol it came in. */
import { ProtocolError } from '../../protocol/errors.ts';
import type { ServerFrame } from '../../protocol/v2/replies.ts';
import type { Request, RequestOf } from '../../protocol/v2/requests.ts';
import type { Caller, Holder, Principal, Services } from './context.ts';
import type { LoginResult } from './entry.ts';
import type { HelloResult } from './hello.ts';
import type { Retrieved } from './retrieve.ts';
import type { Admitted, SendRequest, SendResult } from './send.ts';

/** What a client may ask for, as the newest version of the protocol has it: older ones say a part of that. */
export type AnyRequest = Exclude<Request, RequestOf<'send'>> | SendRequest;
/** One kind of request: `RequestFor<'login'>`. */
export type RequestFor<Type extends AnyRequest['type']> = Extract<AnyRequest, { type: Type }>;

/** What came of a request, for a version to put into bytes: what the newest one sends, but for what a session needs besides. */
export type Result =
  | HelloResult
  | LoginResult
  | Retrieved
  | SendResult
  | Exclude<ServerFrame, { type: Made }>;
type Made =
  | (HelloResult | LoginResult | Retrieved | SendResult)['type']
  // Made by sessions, not by commands.
  | 'failure'
  | 'message'
  | 'delivered'
  | 'sent-elsewhere'
  | 'read-elsewhere'
  | 'gap'
  | 'ping'
  | 'goodbye';

/** Who may ask for something, and who that is to the handler. */
interface Principals {
  readonly anybody: Principal | null;
  /** Who is not logged in. */
  readonly stranger: null;
  readonly loggedIn: Principal;
  /** Whose login has the inbox: what is in it, the account and its token are theirs. */
  readonly holder: Holder;
}
export type Right = keyof Principals;

interface Row<By extends Right> {
  readonly by: By;
  /** It changes nothing: only the answer matters, and who is gone needs none. */
  readonly asks?: true;
}

/** A request that is carried out by itself, after all before it. */
interface Sequential<Who extends Principal | null, Asked> {
  /** What it means to the session, where it begins a login or ends one. */
  readonly brings?: 'login' | 'logout' | 'removal';
  /** @throws ProtocolError, EngineError: the reply; anything else is a fault of ours */
  readonly run: (services: Services, caller: Caller<Who>, request: Asked) => Promise<Result>;
}

/** A request that is answered at once, whatever is under way. */
interface Immediate<Who extends Principal | null, Asked> {
  /** @returns null where it has no reply @throws as `run` */
  readonly answer: (services: Services, principal: Who, request: Asked) => Result | null;
}

/** A request of which many may be under way: each is given its place, and completes in its own time (send.ts). */
interface Overlapping<Who extends Principal | null, Asked> {
  /** @throws as `run` */
  readonly admit: (services: Services, principal: Who, request: Asked) => Admitted | Promise<Admitted>;
}

type Way<Who extends Principal | null, Asked> =
  | Sequential<Who, Asked>
  | Immediate<Who, Asked>
  | Overlapping<Who, Asked>;

/** A row of the table, for one kind of request. */
export type Command<Asked> = { [By in Right]: Row<By> & Way<Principals[By], Asked> }[Right];

/** A row, whichever request it is for and whoever may ask. */
export type AnyCommand = Row<Right> & Way<Principal | null, AnyRequest>;

/** @throws ProtocolError for a request that is not for who asks */
export function demandRight(by: Right, principal: Principal | null): void {
  if (by === 'anybody') return;
  if (by === 'stranger') {
    if (principal === null) return;
    const text = `You are logged in as ${principal.account.name}: log out first.`;
    throw new ProtocolError('ALREADY_LOGGED_IN', text);
  }
  if (principal === null) throw new ProtocolError('NOT_LOGGED_IN');
  if (by === 'holder' && principal.inbox === null) throw new ProtocolError('ONLY_SENDS');
}
