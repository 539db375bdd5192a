/*
 * Terminals disagree about the width of some characters, above all of joined emoji. What one of them takes for wider than
 * its row is cut off at the edge, instead of standing where the next row begins.
 */
export const NO_WRAP = '\u001b[?7l';
export const WRAP = '\u001b[?7h';
/** The screen that programs have for themselves, and the one of the shell. */
export const OWN_SCREEN = '\u001b[?1049h';
export const SHELL_SCREEN = '\u001b[?1049l';
export const HIDE_CURSOR = '\u001b[?25l';
export const SHOW_CURSOR = '\u001b[?25h';
export const ERASE_SCREEN = '\u001b[2J\u001b[H';

/** The same stream, but for what is written: that is changed first. Whoever waits for a write hears of it, also where nothing is left of it. */
export function gateOf(out: NodeJS.WriteStream, change: (bytes: string) => string): NodeJS.WriteStream {
  const write = (...args: readonly unknown[]): boolean => {
    const done = args.find((value) => typeof value === 'function');
    return out.write(change(String(args[0])), () => done?.());
  };
  return new Proxy(out, {
    get: (stream, key) => {
      if (key === 'write') return write;
      const value: unknown = Reflect.get(stream, key, stream);
      return typeof value === 'function' ? value.bind(stream) : value;
    },
  });
}
