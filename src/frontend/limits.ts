import { MAX_PAYLOAD, MAX_PAYLOAD_BEFORE_LOGIN, MAX_REPLY_PAYLOAD } from '../protocol/frame.ts';

/** Every bound of the frontend in one place: times in milliseconds, sizes in bytes. */
export interface Limits {
  /** Largest request payload before and after a login. */
  readonly payloadBeforeLogin: number;
  readonly payload: number;
  /** Bytes received and not yet carried out, past which a socket is read no more until they are. */
  readonly unreadBytes: number;
  /** Bytes written and not yet taken by the network, past which the inbox rests and no request is taken. */
  readonly unsentBytes: number;
  /** A frame that has begun must be whole within this time. */
  readonly partialFrameMs: number;
  /** A connection that has had no request answered and says nothing is closed after this time. */
  readonly firstRequestMs: number;
  /** How long a finished connection may linger until its client closes, too. */
  readonly lingerMs: number;
  /** Silence on a connection after which TCP asks whether the other end is alive. */
  readonly keepAliveMs: number;
  /** Sends of one session that wait for Kafka; at the limit its next request waits. */
  readonly outstandingSends: number;
  /** Live messages that may arrive before their login is answered; one more and the login fails as busy. */
  readonly earlyMessages: number;
  /** Bodies in one retrieve reply; the rest stays for the next one. */
  readonly retrieveBytes: number;
  /** Messages in one retrieve reply, so that tiny ones don't add up to a mountain of objects. */
  readonly retrieveMessages: number;
  /** Names looked up for one list reply: as many as fit into it when they are as short as can be. */
  readonly listNames: number;
  /** Questions whether somebody is logged in that wait at once; one more counts as "not logged in". */
  readonly presenceQuestions: number;
  /** Inboxes asked about in one request to Kafka. */
  readonly presenceBatch: number;
  /** A send's answer waits this long to learn whether its recipient is logged in. */
  readonly presenceMs: number;
  /** Connections over the cap that are told so; more are closed without a word. */
  readonly refusedConnections: number;
  /** Inboxes given back to Kafka at once; more wait their turn. */
  readonly leavingAtOnce: number;
  /** At a shutdown: time for requests under way to be answered and inboxes to be given back. */
  readonly drainMs: number;
}

export const LIMITS: Limits = {
  payloadBeforeLogin: MAX_PAYLOAD_BEFORE_LOGIN,
  payload: MAX_PAYLOAD,
  unreadBytes: 128 * 1024,
  unsentBytes: 256 * 1024,
  partialFrameMs: 30_000,
  // People type their name at the prompt of the version 1 client before it sends anything.
  firstRequestMs: 60_000,
  lingerMs: 2_000,
  keepAliveMs: 60_000,
  outstandingSends: 64,
  earlyMessages: 1_000,
  retrieveBytes: MAX_REPLY_PAYLOAD,
  retrieveMessages: 20_000,
  listNames: Math.ceil(MAX_REPLY_PAYLOAD / 'a; '.length),
  presenceQuestions: 10_000,
  presenceBatch: 200,
  presenceMs: 2_000,
  refusedConnections: 64,
  leavingAtOnce: 50,
  // Longer than the usual time-out of a send, so that the last ones are still answered.
  drainMs: 20_000,
};
