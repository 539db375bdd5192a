import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { render } from 'ink';
import { ServerClock } from '../../client/index.ts';
import { outsideFor, serverAdapterFor, whoToGreet } from '../chat/make-server-adapter.ts';
import { isInTmux } from '../environment.ts';
import { Histories } from '../history/histories.ts';
import { Terminal } from '../keyboard/terminal.ts';
import { notifyByCommand } from '../notify/command.ts';
import { desktopNotification, sequenceFor } from '../notify/desktop.ts';
import { type Notify, paced } from '../notify/notification.ts';
import type { Settings } from '../settings.ts';
import { App } from './app.tsx';
import { askBackground, type Brightness } from './background.ts';
import { BareView } from './bare-view.ts';
import { Chat } from './chat.ts';
import { Foot } from './foot.ts';
import { keyFileBeside, readBindings } from './key-file.ts';
import { knowsLinks } from './links.ts';
import type { Looks } from './paint.ts';
import { signsFor } from './signs.ts';
import { Suspension } from './suspension.ts';
import { TerminalBell } from './terminal-bell.ts';
import {
  ERASE_SCREEN,
  HIDE_CURSOR,
  NO_WRAP,
  OWN_SCREEN,
  SHELL_SCREEN,
  SHOW_CURSOR,
  WRAP,
} from './terminal-output.ts';
import { dependsOnBackground, themeFor } from './theme.ts';

/** 128 + the signal's number, as a shell reports a process that a signal ended. */
const SIGNAL_EXITS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
const CRASHED = 70;
/** The screen runs all day beside other work: its heap grows by a fifth at a time. */
const SMALL_HEAP = '--heap-growing-percent=20';
/** Of key presses and of messages: fast enough that a key's echo waits for no frame. */
const MAX_FPS = 250;
/** As Ink writes them when it begins and ends. */
const OUR_SCREEN = `${OWN_SCREEN}${HIDE_CURSOR}`;
const MAIN_SCREEN = `${SHELL_SCREEN}${SHOW_CURSOR}`;

/**
 * Runs the screen until the person leaves; resolves to the process's exit code. However it ends, the terminal is as it
 * was: main screen, cursor shown, its title, rows that wrap, no raw mode, none of our modes (only kill -9 leaves no time for that).
 *
 * @param invite for the account that is to be made; null: nobody gave one
 * @param colorDepth bits of colour that the terminal has: 1, 4, 8 or 24
 */
export async function runScreen(
  settings: Settings,
  invite: string | null,
  colorDepth: number,
): Promise<number> {
  // From here on, and not while all that was loaded: it takes collections, which a start has no time for.
  setFlagsFromString(SMALL_HEAP);
  const keyFile = keyFileBeside(settings.file);
  const bindings = readBindings(keyFile);
  let code = 0;
  let crash: unknown;
  let leave: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const size = { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  const problems: string[] = [];
  let tell = (sentence: string): void => void problems.push(sentence);
  const bell = new TerminalBell(
    process.stdout,
    settings.bell,
    notifiesFor(settings, (text) => tell(text)),
  );
  const { directory, server, others, device } = settings;
  const clock = new ServerClock();
  const onProblem = (sentence: string) => tell(sentence);
  const histories = new Histories({ directory, server, others, device, onProblem, now: clock.now });
  const makeServerAdapter = serverAdapterFor(settings, histories, invite);
  const { stdin, stdout } = process;
  const terminal = new Terminal(stdin, stdout, settings.mouse, (events) => chat.take(events));
  const bare = new BareView(terminal, stdout);
  const keys = { bindings, file: keyFile, suspend: () => suspension.suspend(), bare };
  const chat = new Chat(makeServerAdapter, server, histories, size, bell, () => leave(), {
    keys,
    clock,
    highlight: settings.highlight,
    ...outsideFor(settings, process.env, (bytes) => void stdout.write(bytes)),
  });
  const suspension = new Suspension({
    leave: () => {
      terminal.end();
      stdout.write(WRAP + MAIN_SCREEN);
      bell.end();
    },
    comeBack: (isOurs) => {
      if (!isOurs) {
        stdout.write(OUR_SCREEN);
        bell.begin();
      } else terminal.end();
      stdout.write(NO_WRAP);
      terminal.begin();
      // Only the shell was told of another size meanwhile. Everything is drawn anew, whether there was one or not.
      process.emit('SIGWINCH', 'SIGWINCH');
      stdout.emit('resize');
    },
    stays: () => chat.tell('There is no shell to go back to.'),
  });
  tell = (sentence) => chat.tell(sentence);
  const looksOn = (background: Brightness | null = null): Looks => ({
    theme: themeFor(settings.theme, process.env, colorDepth, background),
    signs: signsFor(settings.signs, process.env),
    links: settings.links ?? knowsLinks(process.env),
    colorDepth,
  });
  let endedBy: NodeJS.Signals | null = null;
  for (const [signal, exit] of Object.entries(SIGNAL_EXITS)) {
    process.on(signal, (name) => {
      endedBy = name;
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
  stdout.on('error', () => leave());
  stdin.on('error', () => leave());
  stdin.on('end', () => leave());
  let looks = looksOn();
  let drawAnew: () => void = () => undefined;
  // Nothing is drawn before: an echo would stand in it.
  terminal.begin();
  if (dependsOnBackground(settings.theme, process.env, colorDepth)) {
    askBackground(terminal, (background) => {
      looks = looksOn(background);
      drawAnew();
    });
  }
  bell.begin();
  for (const sentence of problems) chat.tell(sentence);
  // What was typed meanwhile is read soon: it answers what is asked here.
  chat.start(whoToGreet(settings, histories, invite));
  // What the terminal has said by now is there for the first frame. An answer that comes later draws all of it anew.
  await setImmediate();
  const foot = new Foot(bare.gate, chat, looks);
  const screen = () => <App chat={chat} getRows={chat.getBody} looks={looks} />;
  const app = render(screen(), {
    stdout: foot.gate,
    alternateScreen: true,
    incrementalRendering: true,
    maxFps: MAX_FPS,
    // Ctrl+C goes through our own keys: it has to close the connection as well.
    exitOnCtrlC: false,
    // The terminal was checked before; a CI variable in the environment does not make it any less of one.
    interactive: true,
  });
  // Before Ink hears of it: it draws relative to the cursor, which terminals move when they change their size.
  process.stdout.prependListener('resize', () => {
    chat.resize(process.stdout.columns, process.stdout.rows);
    if (bare.isShown) return bare.draw();
    app.clear();
    process.stdout.write(ERASE_SCREEN);
    foot.erased();
  });
  drawAnew = () => {
    foot.looks = looks;
    app.rerender(screen());
  };
  app.waitUntilExit().then(() => leave(), crashed);
  process.stdout.write(NO_WRAP);
  await left;
  // Ink leaves its screen, wherever it is: where that was left already, the cursor would stand at an old place.
  const { isAway } = suspension;
  if (isAway) stdout.write(OUR_SCREEN);
  suspension.end();
  bare.end();
  foot.end();
  app.unmount();
  await app.waitUntilExit().catch(() => undefined);
  terminal.end();
  process.stdout.write(WRAP);
  bell.end();
  if (endedBy === 'SIGTERM' && !isAway)
    console.error('milena: ended from outside; what was said and what waits is kept.');
  if (crash !== undefined) console.error('milena: this should not have happened:', crash);
  await chat.close();
  if (isAway && endedBy !== null) {
    // Node sets the terminal at every exit of its own. It belongs to a shell, and the kernel stops whoever does that behind it.
    process.removeAllListeners(endedBy);
    process.kill(process.pid, endedBy);
  }
  return code;
}

/** Who is told of messages, besides the bell. @param tell gets what goes wrong */
function notifiesFor({ desktop, notify }: Settings, tell: (sentence: string) => void): Notify[] {
  const sequence = sequenceFor(desktop, process.env);
  const inTmux = isInTmux(process.env);
  return [
    ...(sequence === null
      ? []
      : [paced((one) => void process.stdout.write(desktopNotification(sequence, one, inTmux)))]),
    ...(notify === null ? [] : [paced(notifyByCommand(notify, tell))]),
  ];
}
