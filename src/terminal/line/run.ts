import { type RefusalCode, ServerClock } from '../../client/index.ts';
import { ChatController } from '../chat/chat-controller.ts';
import { outsideFor, serverAdapterFor, whoToGreet } from '../chat/make-server-adapter.ts';
import { EXIT, EXIT_BY_REFUSAL } from '../cli/exit.ts';
import { Histories } from '../history/histories.ts';
import type { Settings } from '../settings.ts';
import { signsFor } from '../tui/signs.ts';
import { PlainView } from './plain-view.ts';
import { Prompt } from './prompt.ts';

const SIGNAL_EXITS = { SIGHUP: 129, SIGTERM: 143 } as const;
const INTERRUPTED = 130;
/** A line of a piped input could not be carried out. */
const FAILED = 1;
/** EX_TEMPFAIL: a message still waits for the server; it goes with the next login. */
const WAITING = 75;
/** How long messages may take after the end of a piped input. */
const LINGER_MS = 5_000;

/**
 * Runs the client line by line until the person leaves or the input ends; resolves to the process's exit code.
 * @param invite for the account that is to be made; null: nobody gave one
 */
export async function runPlain(settings: Settings, invite: string | null): Promise<number> {
  let code = 0;
  let hasLeft = false;
  let leave: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    leave = () => {
      hasLeft = true;
      resolve();
    };
  });
  const isPiped = !process.stdin.isTTY;
  /** Of a pipe the next line is taken when the one before has been dealt with: nobody waits there for an answer. */
  let lines = Promise.resolve();
  const prompt = new Prompt(process.stdin, process.stdout, {
    onLine: (line) => {
      if (!isPiped) {
        void controller.enter(line);
        return;
      }
      lines = lines.then(async () => {
        if (hasLeft || (await controller.enter(line))) return;
        if (code === 0) code = FAILED;
      });
    },
    onFull: (isFull) => controller.read(!isFull),
    onInterrupt: () => {
      if (view.isAsking) return controller.leaveQuestion();
      code = INTERRUPTED;
      leave();
    },
    onEnd: () => {
      if (!isPiped) return leave();
      void lines
        .then(() => view.sent(LINGER_MS))
        .then((allSent) => {
          if (code === 0 && view.needsAnswer) code = FAILED;
          if (!allSent && code === 0) code = WAITING;
          leave();
        });
    },
  });
  const clock = new ServerClock();
  /** Nobody is there to think again, and the next line of a pipe is no other answer: it may be a message. */
  const onAgain = (again: RefusalCode | null) => {
    if (!isPiped) return;
    code = again === null ? FAILED : EXIT_BY_REFUSAL[again];
    leave();
  };
  const signs = signsFor(settings.signs, process.env);
  const view = new PlainView(prompt, () => leave(), clock, onAgain, signs);
  const takesSequences = process.stdout.isTTY && process.env.TERM !== 'dumb';
  const { directory, server, others, device } = settings;
  const onProblem = (sentence: string) => prompt.print(sentence);
  const histories = new Histories({ directory, server, others, device, onProblem, now: clock.now });
  const controller = new ChatController(
    serverAdapterFor(settings, histories, invite, !isPiped),
    server,
    histories,
    view,
    {
      clock,
      ...outsideFor(
        settings,
        process.env,
        takesSequences ? (bytes) => void process.stdout.write(bytes) : null,
      ),
    },
  );
  for (const [signal, exit] of Object.entries(SIGNAL_EXITS)) {
    process.on(signal, () => {
      code = exit;
      leave();
    });
  }
  process.on('uncaughtException', (error) => {
    console.error('milena: this should not have happened:', error);
    code = EXIT.FAULT;
    leave();
  });
  process.stdout.on('error', () => leave());
  controller.start(whoToGreet(settings, histories, invite));
  await left;
  await controller.close();
  prompt.close();
  return code;
}
