import { render } from 'ink';
import { DEFAULT_OPTIONS_2 } from '../v2/events.ts';
import { App } from './app.tsx';
import { Chat } from './chat.ts';
import type { MakeFace } from './face.ts';
import { Face1 } from './face1.ts';
import { Face2 } from './face2.ts';
import type { ServerChoice } from './options.ts';

/** 128 + the signal's number, as a shell reports a process that a signal ended. */
const SIGNAL_EXITS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
const CRASHED = 70;

/**
 * Runs the screen until the person leaves; resolves to the process's exit code. However it ends, the terminal is as it
 * was: main screen, cursor shown, no raw mode, no bracketed paste (only kill -9 leaves no time for that).
 */
export async function runScreen(choice: ServerChoice): Promise<number> {
  let code = 0;
  let crash: unknown;
  let leave: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const size = { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  const { address, protocol, tls } = choice;
  const options = { ...DEFAULT_OPTIONS_2, address, tls };
  const makeFace: MakeFace = (display) =>
    protocol === 1 ? new Face1(options, display) : new Face2(options, display);
  const chat = new Chat(makeFace, address, size, () => leave());
  const app = render(<App chat={chat} />, {
    alternateScreen: true,
    incrementalRendering: true,
    // Ctrl+C goes through our own keys: it has to close the connection as well.
    exitOnCtrlC: false,
    // The terminal was checked before; a CI variable in the environment does not make it any less of one.
    interactive: true,
  });
  for (const [signal, exit] of Object.entries(SIGNAL_EXITS)) {
    process.on(signal, () => {
      code = exit;
      leave();
    });
  }
  const crashed = (error: unknown) => {
    code = CRASHED;
    crash = error;
    leave();
  };
  process.on('uncaughtException', crashed);
  // The terminal is gone (a closed window): there is nobody to tell, only things to close.
  process.stdout.on('error', () => leave());
  app.waitUntilExit().then(() => leave(), crashed);
  chat.start();
  await left;
  app.unmount();
  await app.waitUntilExit().catch(() => undefined);
  if (crash !== undefined) console.error('milena: this should not have happened:', crash);
  await chat.close();
  return code;
}
