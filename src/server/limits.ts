import { MAX_PAYLOAD, MAX_PAYLOAD_BEFORE_LOGIN, MAX_REPLY_PAYLOAD } from '../protocol/frame.ts';
import { MAX_DELIVERED_IDS } from '../protocol/v2/replies.ts';
import { COST } from './identity/passwords.ts';

const MEBIBYTE = 1024 * 1024;

/** Every bound of the frontend in one place: times in milliseconds, sizes in bytes. */
export const LIMITS = {
  /** Largest request payload before and after a login. */
  payloadBeforeLogin: MAX_PAYLOAD_BEFORE_LOGIN,
  payload: MAX_PAYLOAD,
  /** Bytes received and not yet carried out, past which the socket of somebody logged in is read no more until they are. */
  unreadBytes: 128 * 1024,
  /** Such bytes of all who are not logged in; above it whoever of them sends more than one request ahead is closed. */
  strangersUnreadBytes: 64 * 1024 * 1024,
  /** Requests that cannot be read, on a connection without a login; at the limit it is closed. */
  unreadableRequests: 16,
  /** Bytes written and not yet taken by the network, past which the inbox rests and no request is taken. */
  unsentBytes: 256 * 1024,
  /** A frame that has begun must be whole within this time. */
  partialFrameMs: 30_000,
  /** A connection that has had no request answered and says nothing is closed after this time. */
  // People type their name at the prompt of the version 1 client before it sends anything.
  firstRequestMs: 60_000,
  /** A connection must have logged in within this time. */
  // People type their password at the prompt of a client that is connected already.
  loginMs: 300_000,
  /** What waits to go out must begin to go within this time, where it is so much that the client has to wait. */
  stalledWriteMs: 60_000,
  /** Silence of a client of version 2 after which it is asked for a sign of life, and after which it is taken for dead. */
  // Ten thousand who say nothing cost 33 pings a second then, and as many answers.
  pingAfterMs: 300_000,
  closeAfterMs: 420_000,
  /**
   * Time in one tick of the event loop for requests of those who are logged in, of those among them who are busy, of those
   * who are not logged in, and for searches of names; and for some in the long run, in ms a second. Busy is who has used
   * up `loggedInMs`.
   */
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
  /** How long a finished connection may linger until its client closes, too; and what it may send meanwhile, in bytes. */
  lingerMs: 2_000,
  // What may be on its way by then: buffers of both kernels. A stranger has no reason to have sent so much.
  discardedBytes: 8 * MEBIBYTE,
  strangersDiscardedBytes: 64 * 1024,
  /** Silence on a connection after which TCP asks whether the other end is alive. */
  // Finds a machine that is gone without costing anything here: the kernel asks, and gives up after ten unanswered seconds.
  keepAliveMs: 30_000,
  /** Sends of one session that wait for Kafka; at the limit its next request waits. */
  outstandingSends: 64,
  /** Replies of one session that wait for those before them; at the limit its next request waits. */
  waitingReplies: 1_024,
  /** Messages pushed and not acknowledged, where the client acknowledges; at the limit its inbox rests. */
  window: 256,
  /** Sends of one session in the long run, and at once; one more is told to wait, or made to wait in version 1. */
  sendsPerSecond: 500,
  sendBurst: 1_000,
  /** Ids of a session's last sends, to answer a repeated one alike. */
  // A client sends an id again on the same connection only while it waits: four times what may be under way.
  rememberedSends: 256,
  /** Messages whose acknowledgement is waited for: of one account, and of all; above it the oldest is dropped. */
  trackedPerAccount: 1_000,
  tracked: 50_000,
  /** Recipients of such messages (each costs Kafka a look every second); above it the oldest is dropped. */
  trackedRecipients: 2_000,
  /** Recipients asked about in one request to Kafka, and the pause between two rounds. */
  trackedBatch: 500,
  trackMs: 1_000,
  /** Senders are told at most this often, but along with each answer; nobody sees the difference, and a push costs a write. */
  tellMs: 100,
  /** Ids in one push about them. */
  toldAtOnce: MAX_DELIVERED_IDS,
  /** Names on one block list; one more is refused. */
  blockedNames: 500,
  /** How long a client may come back by its token, from its login on. */
  resumeMs: 7 * 86_400_000,
  /** A device other than the main one that has not come for so long is forgotten. */
  deviceMs: 30 * 86_400_000,
  /** Shortest password, in characters. */
  passwordCharacters: 8,
  /**
   * Work of a new password hash; hashes at once; attempts that wait in each lane of the line for them, above which
   * whoever has most of them there gives one up and is told BUSY, or RATE_LIMITED. More than one address has connections.
   */
  passwordCost: COST,
  // Two of the four threads that Node has for such work.
  hashesAtOnce: 2,
  // Some twenty seconds of a core.
  hashesWaiting: 1_000,
  /**
   * Wrong passwords for one name from one address, before they count for the name; where the name got in from that
   * address lately; and for the name from everywhere beyond those: then each waits for its token.
   */
  // Whoever mistypes has these, whatever goes on elsewhere. A thousand addresses guess one name 1.7 times a second with them.
  failuresPerPair: { burst: 5, perSecond: 1 / 600 },
  failuresPerKnownPair: { burst: 10, perSecond: 0.2 },
  // Whose name is guessed at behind their own address is in after some seconds.
  failuresPerName: { burst: 10, perSecond: 0.2 },
  /** Wrong passwords from one address, for names that did not get in from there lately: then each waits for its token. */
  // Whoever comes to an address where forty guess is in after some seconds, even if all of them are new each time.
  failuresPerAddress: { burst: 100, perSecond: 5 },
  /**
   * Wrong tokens from one address that are answered at once; then each waits for its token. Such answers that wait, of all;
   * above it one of whoever has most of them is told RATE_LIMITED.
   */
  // An office whose tokens have run out all the same morning.
  wrongTokensPerAddress: { burst: 200, perSecond: 20 },
  // As many as two addresses have connections: each holds little more than its session.
  wrongTokensWaiting: 1_000,
  /** Pairs, names and addresses of which that is known; above it the one that was heard of longest ago is forgotten. */
  rateKeys: 20_000,
  /** New accounts from one address, and from all together: at once, and within an hour. */
  // A classroom at once. Each is a topic, of which a broker with the usual heap carries some thousands.
  newAccountsPerAddress: 60,
  newAccounts: 1_200,
  /** Logins that only send, of one account and in all; one more takes the place of the one that was idle for longest. */
  sendersPerAccount: 256,
  // A third of all connections: whoever is logged in keeps the place, and accounts are dearer than such logins.
  senders: 4_000,
  /** Connections from one address; one more takes the place of its oldest stranger, or is told so and closed. */
  connectionsPerAddress: 500,
  /** A TLS handshake, or a balancer's word for whom it speaks, must be through within this time. */
  handshakeMs: 10_000,
  /** TLS handshakes at once; more wait their turn. */
  // All of them take a quarter of a second together, should their clients go on at the same moment.
  handshakesAtOnce: 256,
  /** Live messages that may arrive before their login is answered; one more and the login fails as busy. */
  earlyMessages: 1_000,
  /** Bodies in one retrieve reply; the rest stays for the next one. */
  retrieveBytes: MAX_REPLY_PAYLOAD,
  /** Messages in one retrieve reply, so that tiny ones don't add up to a mountain of objects. */
  retrieveMessages: 20_000,
  /** Names looked up for one list reply: as many as fit into it when they are as short as can be. */
  listNames: Math.ceil(MAX_REPLY_PAYLOAD / 'a; '.length),
  /** Questions whether somebody is logged in that wait at once; one more counts as "not logged in". */
  presenceQuestions: 10_000,
  /** Inboxes asked about in one request to Kafka. */
  presenceBatch: 200,
  /** Bytes of names that are told to strangers: of one address, and of all. */
  // What nobody reads stays with the kernel until it ends after a minute: 70 MiB for one address, 740 for all.
  listedBytesPerAddress: { burst: 8 * MEBIBYTE, perSecond: MEBIBYTE },
  listedBytes: { burst: 256 * MEBIBYTE, perSecond: 8 * MEBIBYTE },
  /** Questions that cost Kafka's coordinator a look: batches at once, questions in a batch, and a second in all and by one. */
  // A batch keeps broker and frontend busy for a millisecond or so.
  questionBatchesAtOnce: 2,
  questionBatch: 50,
  questions: { burst: 1_000, perSecond: 4_000 },
  questionsPerAccount: { burst: 2_000, perSecond: 500 },
  /** Pages of undelivered messages that are read from Kafka at once; more wait their turn. */
  readsAtOnce: 2,
  /** Previews of topics, and looks at single records there, that are under way at once; more wait their turn. */
  topicLooksAtOnce: 2,
  /** Accounts that are made at once; more wait their turn. */
  // Fewer than the engine changes at once: whoever changes or deletes an account does not wait behind those who make some.
  creatingAtOnce: 24,
  /** Rooms that one account makes: each is a topic, as an account is. */
  newRoomsPerAccount: { burst: 20, perSecond: 1 / 60 },
  /** Changes of one's block list and of rooms, since each is a transaction in Kafka, or a record. */
  changesPerAccount: { burst: 50, perSecond: 1 },
  /** A send's answer waits this long to learn whether its recipient is logged in. */
  presenceMs: 2_000,
  /** Connections that have to go and are told so; more are closed without a word. */
  refusedConnections: 64,
  /** Logins that take their inbox from Kafka at once; more wait their turn, so that who is in is served all the same. */
  enteringAtOnce: 32,
  /** Between two looks for rooms that nobody is in. */
  roomSweepMs: 1_800_000,
  /** Rooms whose members look where they are in them at once; more wait their turn. */
  roomsEnteredAtOnce: 64,
  /** Inboxes given back to Kafka at once; more wait their turn. */
  leavingAtOnce: 50,
  /** At a shutdown: time for requests under way to be answered and inboxes to be given back. */
  // Longer than the usual time-out of a send, so that the last ones are still answered.
  drainMs: 20_000,
};

export type Limits = Readonly<typeof LIMITS>;
