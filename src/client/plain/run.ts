import { Histories } from '../history/histories.ts';
import type { Settings } from '../settings.ts';
import { makeFaceFor } from '../talk/make-face.ts';
import { Talk } from '../talk/talk.ts';
import { PlainView } from './plain-view.ts';
import { Prompt } from './prompt.ts';

const SIGNAL_EXITS = { SIGHUP: 129, SIGTERM: 143 } as const;
const INTERRUPTED = 130;
/** How long what was entered last may take after the end of a piped input. */
const LINGER_MS = 1_500;

/** Runs the client line by line until the person leaves or the input ends; resolves to the process's exit code. */
export async function runPlain(settings: Settings): Promise<number> {
  let code = 0;
  let leave: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const prompt = new Prompt(process.stdin, process.stdout, {
    onLine: (line) => talk.enter(line),
    onInterrupt: () => {
      if (view.isAsking) return talk.leaveQuestion();
      code = INTERRUPTED;
      leave();
    },
    onEnd: () => void (process.stdin.isTTY ? leave() : setTimeout(leave, LINGER_MS)),
  });
  const view = new PlainView(prompt, () => leave());
  const { directory, server } = settings;
  const onProblem = (sentence: string) => prompt.print(sentence);
  const histories = new Histories({ directory, server, onProblem });
  const talk = new Talk(makeFaceFor(settings, histories), server, histories, view);
  for (const [signal, exit] of Object.entries(SIGNAL_EXITS)) {
    process.on(signal, () => {
      code = exit;
      leave();
    });
  }
  process.stdout.on('error', () => leave());
  talk.start(settings.user ?? histories.lastAccount());
  await left;
  await talk.close();
  prompt.close();
  return code;
}
