import { MAX_PAYLOAD, MAX_PAYLOAD_BEFORE_LOGIN, MAX_REPLY_PAYLOAD } from '../protocol/frame.ts';
import { MAX_DELIVERED_IDS } from '../protocol/v2/replies.ts';
import type { BucketOptions } from '../util/token-buckets.ts';
import { COST } from './identity/passwords.ts';
import type { Cost } from './identity/phc.ts';

/** Every bound of the frontend in one place: times in milliseconds, sizes in bytes. */
export interface Limits {
  /** Largest request payload before and after a login. */
  readonly payloadBeforeLogin: number;
  readonly payload: number;
  /** Bytes received and not yet carried out, past which the socket of somebody logged in is read no more until they are. */
  readonly unreadBytes: number;
  /** Such bytes of all who are not logged in; above it whoever of them sends more than one request ahead is closed. */
  readonly strangersUnreadBytes: number;
  /** Requests that cannot be read, on a connection without a login; at the limit it is closed. */
  readonly unreadableRequests: number;
  /** Bytes written and not yet taken by the network, past which the inbox rests and no request is taken. */
  readonly unsentBytes: number;
  /** A frame that has begun must be whole within this time. */
  readonly partialFrameMs: number;
  /** A connection that has had no request answered and says nothing is closed after this time. */
  readonly firstRequestMs: number;
  /** A connection must have logged in within this time. */
  readonly loginMs: number;
  /** What waits to go out must begin to go within this time, where it is so much that the client has to wait. */
  readonly stalledWriteMs: number;
  /** Silence of a client of version 2 after which it is asked for a sign of life, and after which it is taken for dead. */
  readonly pingAfterMs: number;
  readonly closeAfterMs: number;
  /**
   * Time in one tick of the event loop for requests of those who are logged in, of those among them who are busy, of those
   * who are not logged in, and for searches of names; and for some in the long run, in ms a second. Busy is who has used
   * up `loggedInMs`.
   */
  readonly loggedInTickMs: number;
  readonly loggedInMs: BucketOptions;
  readonly busyTickMs: number;
  readonly busyMsPerSecond: number;
  readonly anonymousTickMs: number;
  readonly anonymousMsPerSecond: number;
  readonly searchTickMs: number;
  readonly anonymousSearchMsPerSecond: number;
  /** How long a finished connection may linger until its client closes, too; and what it may send meanwhile, in bytes. */
  readonly lingerMs: number;
  readonly discardedBytes: number;
  readonly strangersDiscardedBytes: number;
  /** Silence on a connection after which TCP asks whether the other end is alive. */
  readonly keepAliveMs: number;
  /** Sends of one session that wait for Kafka; at the limit its next request waits. */
  readonly outstandingSends: number;
  /** Replies of one session that wait for those before them; at the limit its next request waits. */
  readonly waitingReplies: number;
  /** Messages pushed and not acknowledged, where the client acknowledges; at the limit its inbox rests. */
  readonly window: number;
  /** Sends of one session in the long run, and at once; one more is told to wait, or made to wait in version 1. */
  readonly sendsPerSecond: number;
  readonly sendBurst: number;
  /** Ids of a session's last sends, to answer a repeated one alike. */
  readonly rememberedSends: number;
  /** Messages whose acknowledgement is waited for: of one account, and of all; above it the oldest is dropped. */
  readonly trackedPerAccount: number;
  readonly tracked: number;
  /** Recipients of such messages (each costs Kafka a look every second); above it the oldest is dropped. */
  readonly trackedRecipients: number;
  /** Recipients asked about in one request to Kafka, and the pause between two rounds. */
  readonly trackedBatch: number;
  readonly trackMs: number;
  /** Senders are told at most this often, but along with each answer; nobody sees the difference, and a push costs a write. */
  readonly tellMs: number;
  /** Ids in one push about them. */
  readonly toldAtOnce: number;
  /** Names on one block list; one more is refused. */
  readonly blockedNames: number;
  /** How long a client may come back by its token, from its login on. */
  readonly resumeMs: number;
  /** Shortest password, in characters. */
  readonly passwordCharacters: number;
  /**
   * Work of a new password hash; hashes at once; attempts that wait in each lane of the line for them, above which
   * whoever has most of them there gives one up and is told BUSY, or RATE_LIMITED. More than one address has connections.
   */
  readonly passwordCost: Cost;
  readonly hashesAtOnce: number;
  readonly hashesWaiting: number;
  /**
   * Wrong passwords for one name from one address, before they count for the name; where the name got in from that
   * address lately; and for the name from everywhere beyond those: then each waits for its token.
   */
  readonly failuresPerPair: BucketOptions;
  readonly failuresPerKnownPair: BucketOptions;
  readonly failuresPerName: BucketOptions;
  /** Wrong passwords from one address, for names that did not get in from there lately: then each waits for its token. */
  readonly failuresPerAddress: BucketOptions;
  /**
   * Wrong tokens from one address that are answered at once; then each waits for its token. Such answers that wait, of all;
   * above it one of whoever has most of them is told RATE_LIMITED.
   */
  readonly wrongTokensPerAddress: BucketOptions;
  readonly wrongTokensWaiting: number;
  /** Pairs, names and addresses of which that is known; above it the one that was heard of longest ago is forgotten. */
  readonly rateKeys: number;
  /** New accounts from one address, and from all together: at once, and within an hour. */
  readonly newAccountsPerAddress: number;
  readonly newAccounts: number;
  /** Logins that only send, of one account and in all; one more takes the place of the one that was idle for longest. */
  readonly sendersPerAccount: number;
  readonly senders: number;
  /** Connections from one address; one more takes the place of its oldest stranger, or is told so and closed. */
  readonly connectionsPerAddress: number;
  /** A TLS handshake, or a balancer's word for whom it speaks, must be through within this time. */
  readonly handshakeMs: number;
  /** TLS handshakes at once; more wait their turn. */
  readonly handshakesAtOnce: number;
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
  /** Bytes of names that are told to strangers: of one address, and of all. */
  readonly listedBytesPerAddress: BucketOptions;
  readonly listedBytes: BucketOptions;
  /** Questions that cost Kafka's coordinator a look: batches at once, questions in a batch, and a second in all and by one. */
  readonly questionBatchesAtOnce: number;
  readonly questionBatch: number;
  readonly questions: BucketOptions;
  readonly questionsPerAccount: BucketOptions;
  /** Pages of undelivered messages that are read from Kafka at once; more wait their turn. */
  readonly readsAtOnce: number;
  /** Accounts that are made at once; more wait their turn. */
  readonly creatingAtOnce: number;
  /** Changes of one's block list, since each is a transaction in Kafka. */
  readonly changesPerAccount: BucketOptions;
  /** A send's answer waits this long to learn whether its recipient is logged in. */
  readonly presenceMs: number;
  /** Connections that have to go and are told so; more are closed without a word. */
  readonly refusedConnections: number;
  /** Logins that take their inbox from Kafka at once; more wait their turn, so that who is in is served all the same. */
  readonly enteringAtOnce: number;
  /** Inboxes given back to Kafka at once; more wait their turn. */
  readonly leavingAtOnce: number;
  /** At a shutdown: time for requests under way to be answered and inboxes to be given back. */
  readonly drainMs: number;
}

const MEBIBYTE = 1024 * 1024;

export const LIMITS: Limits = {
  payloadBeforeLogin: MAX_PAYLOAD_BEFORE_LOGIN,
  payload: MAX_PAYLOAD,
  unreadBytes: 128 * 1024,
  strangersUnreadBytes: 64 * 1024 * 1024,
  unreadableRequests: 16,
  unsentBytes: 256 * 1024,
  partialFrameMs: 30_000,
  // People type their name at the prompt of the version 1 client before it sends anything.
  firstRequestMs: 60_000,
  // People type their password at the prompt of a client that is connected already.
  loginMs: 300_000,
  stalledWriteMs: 60_000,
  // Ten thousand who say nothing cost 33 pings a second then, and as many answers.
  pingAfterMs: 300_000,
  closeAfterMs: 420_000,
  // A message passes some eight ticks on its way, and waits in each for all of these that are used up.
  loggedInTickMs: 3,
  // A list of names or a ping takes 0.01 to 0.05; messages that are stored are bounded by number and don't count.
  loggedInMs: { burst: 50, perSecond: 5 },
  busyTickMs: 0.15,
  busyMsPerSecond: 150,
  anonymousTickMs: 0.15,
  anonymousMsPerSecond: 300,
  searchTickMs: 0.5,
  anonymousSearchMsPerSecond: 200,
  lingerMs: 2_000,
  // What may be on its way by then: buffers of both kernels. A stranger has no reason to have sent so much.
  discardedBytes: 8 * MEBIBYTE,
  strangersDiscardedBytes: 64 * 1024,
  // Finds a machine that is gone without costing anything here: the kernel asks, and gives up after ten unanswered seconds.
  keepAliveMs: 30_000,
  outstandingSends: 64,
  waitingReplies: 1_024,
  window: 256,
  sendsPerSecond: 500,
  sendBurst: 1_000,
  // A client sends an id again on the same connection only while it waits: four times what may be under way.
  rememberedSends: 256,
  trackedPerAccount: 1_000,
  tracked: 50_000,
  trackedRecipients: 2_000,
  trackedBatch: 500,
  trackMs: 1_000,
  tellMs: 100,
  toldAtOnce: MAX_DELIVERED_IDS,
  blockedNames: 500,
  resumeMs: 7 * 86_400_000,
  passwordCharacters: 8,
  passwordCost: COST,
  // Two of the four threads that Node has for such work.
  hashesAtOnce: 2,
  // Some twenty seconds of a core.
  hashesWaiting: 1_000,
  // Whoever mistypes has these, whatever goes on elsewhere. A thousand addresses guess one name 1.7 times a second with them.
  failuresPerPair: { burst: 5, perSecond: 1 / 600 },
  failuresPerKnownPair: { burst: 10, perSecond: 0.2 },
  // Whose name is guessed at behind their own address is in after some seconds.
  failuresPerName: { burst: 10, perSecond: 0.2 },
  // Whoever comes to an address where forty guess is in after some seconds, even if all of them are new each time.
  failuresPerAddress: { burst: 100, perSecond: 5 },
  // An office whose tokens have run out all the same morning.
  wrongTokensPerAddress: { burst: 200, perSecond: 20 },
  // As many as two addresses have connections: each holds little more than its session.
  wrongTokensWaiting: 1_000,
  rateKeys: 20_000,
  // A classroom at once. Each is a topic, of which a broker with the usual heap carries some thousands.
  newAccountsPerAddress: 60,
  newAccounts: 1_200,
  sendersPerAccount: 256,
  // A third of all connections: whoever is logged in keeps the place, and accounts are dearer than such logins.
  senders: 4_000,
  connectionsPerAddress: 500,
  handshakeMs: 10_000,
  // All of them take a quarter of a second together, should their clients go on at the same moment.
  handshakesAtOnce: 256,
  earlyMessages: 1_000,
  retrieveBytes: MAX_REPLY_PAYLOAD,
  retrieveMessages: 20_000,
  listNames: Math.ceil(MAX_REPLY_PAYLOAD / 'a; '.length),
  presenceQuestions: 10_000,
  presenceBatch: 200,
  presenceMs: 2_000,
  // What nobody reads stays with the kernel until it ends after a minute: 70 MiB for one address, 740 for all.
  listedBytesPerAddress: { burst: 8 * MEBIBYTE, perSecond: MEBIBYTE },
  listedBytes: { burst: 256 * MEBIBYTE, perSecond: 8 * MEBIBYTE },
  // A batch keeps broker and frontend busy for a millisecond or so.
  questionBatchesAtOnce: 2,
  questionBatch: 50,
  questions: { burst: 1_000, perSecond: 4_000 },
  questionsPerAccount: { burst: 2_000, perSecond: 500 },
  readsAtOnce: 2,
  // Fewer than the engine changes at once: whoever changes or deletes an account does not wait behind those who make some.
  creatingAtOnce: 24,
  changesPerAccount: { burst: 50, perSecond: 1 },
  refusedConnections: 64,
  enteringAtOnce: 32,
  leavingAtOnce: 50,
  // Longer than the usual time-out of a send, so that the last ones are still answered.
  drainMs: 20_000,
};
