import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { History } from '../../src/terminal/history/history.ts';
import { seconds } from '../bench-run.ts';
import { Pane, type Program, type Size } from './pane.ts';

/** Stands behind the prompt, which is the last thing on Milena's screen. */
export const READY = '› ';
const END = '\u001b>';
const PAGE_UP = '\u001b[5~';

export interface MilenaOptions {
  /** A checkout with its build. */
  readonly checkout: string;
  /** For its history and settings. */
  readonly directory: string;
  readonly server: string;
  readonly account: string;
  /** With whom the conversation is. */
  readonly peer: string;
}

/** The chat of a checkout, as people start it. */
export function milena({ checkout, directory, server, account }: MilenaOptions): Program {
  return {
    command: join(checkout, 'milena'),
    args: ['--server', server],
    env: {
      MILENA_USER: account,
      MILENA_DATA_DIR: join(directory, account),
      XDG_CONFIG_HOME: directory,
      NODE_ENV: 'production',
    },
  };
}

/** Makes its history: one conversation of so many messages. */
export function fill({ directory, server, account, peer }: MilenaOptions, count: number): void {
  const history = History.open({ directory: join(directory, account), server, account });
  for (let i = 0; i < count; i++) {
    const body = `message ${i}: ${'words and more words '.repeat(i % 7)}`;
    const at = Date.now() - (count - i) * 1000;
    history.received({ peer: { kind: 'user', name: peer }, at, body, key: `fill ${i}` });
  }
  history.commit();
  history.close();
}

const PASSWORD = 'a password of the benchmark';

/** Without a password there would be a question at each start. */
export function makeAccount({ checkout, server, account }: MilenaOptions): void {
  execFileSync(join(checkout, 'milena'), ['create', '--server', server, account], {
    env: { ...process.env, MILENA_PASSWORD: PASSWORD },
    stdio: 'ignore',
  });
}

/** Its first start, with the questions of one: every other one logs in by itself. */
export async function logIn(options: MilenaOptions, size: Size): Promise<void> {
  const pane = new Pane(milena(options), size);
  try {
    await pane.shows('password of');
    pane.type(`${PASSWORD}\r`);
    await pane.shows('Logged in as');
  } finally {
    await pane.close();
  }
}

export async function openConversation(pane: Pane, { peer }: MilenaOptions): Promise<void> {
  await pane.shows('Logged in as');
  pane.type(`/msg ${peer}\r`);
  await pane.shows('message ');
  // It opens at the first unread one; what comes is seen at the end.
  pane.type('/read\r');
  await seconds(0.5);
  pane.type(END);
}

export function pageUp(pane: Pane): void {
  pane.type(PAGE_UP);
}
