import type { WriteStream } from 'node:tty';

/** Variables as a process has them: `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings of this project that hold a secret themselves, and do not only say where it is. */
const SECRET = /^MILENA_(?:\w*PASSWORD|CLUSTER_KEYS)$/;

/** Whether an environment variable of this name, or a line of an `.env`, holds a secret. */
export function isSecret(name: string): boolean {
  return SECRET.test(name);
}

/** This process's environment for a program of somebody's own, which may log it or hand it on: without the secrets. */
export function childEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSecret(name)));
}

/** Whether the locale says UTF-8; null: it says nothing, as in a container. */
function localeIsUtf8({ LC_ALL, LC_CTYPE, LANG }: Environment): boolean | null {
  const locale = LC_ALL || LC_CTYPE || LANG || '';
  return locale === '' ? null : /utf-?8/i.test(locale);
}

/** Whether the locale says that the terminal takes UTF-8. */
export function isUtf8(environment: Environment): boolean {
  return localeIsUtf8(environment) ?? false;
}

/** Whether the locale says that the terminal takes something else than UTF-8. */
export function hasOtherEncoding(environment: Environment): boolean {
  return localeIsUtf8(environment) === false;
}

/** Whether a tmux stands between this process and the terminal that one sits at. */
export function isInTmux(environment: Environment): boolean {
  return (environment.TMUX ?? '') !== '';
}

/** The bytes as tmux passes them to the terminal around it, where `allow-passthrough` is on. */
export function throughTmux(bytes: string): string {
  return `\u001bPtmux;${bytes.replaceAll('\u001b', '\u001b\u001b')}\u001b\\`;
}

/**
 * Bits of colour that a terminal has: 1, 4, 8 or 24. A CI variable in the environment makes a real terminal no less of
 * one.
 */
export function colorDepthOf(terminal: WriteStream, environment: NodeJS.ProcessEnv): number {
  const { CI: _, ...rest } = environment;
  return terminal.getColorDepth(rest);
}
