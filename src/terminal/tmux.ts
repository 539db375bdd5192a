import type { Environment } from './environment.ts';
/** Whether a tmux stands between this process and the terminal that one sits at. */
export function isInTmux(environment: Environment): boolean {
  return (environment.TMUX ?? '') !== '';
}

/** The bytes as tmux passes them to the terminal around it, where `allow-passthrough` is on. */
export function throughTmux(bytes: string): string {
  return `\u001bPtmux;${bytes.replaceAll('\u001b', '\u001b\u001b')}\u001b\\`;
}
