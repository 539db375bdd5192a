import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';

/** Lines of one kind a second; more are counted, and said in one line when the second is over. */
const LINES_A_SECOND = 2;
const SECOND_MS = 1_000;
/** Kinds that are told apart: messages are constants of ours, so there are some dozens. Above it all others are one. */
const MOST_KINDS = 200;
const OTHERS = 'other lines';

interface Kind {
  lines: number;
  /** Not written in this second. */
  more: number;
}

/**
 * A log that outsiders cannot flood: whatever they cause over and over is a line of one kind, that is of one message.
 * Lines that end the process are always written, and so are those that bring a bound of their own (`audit`).
 * @param stream where to; standard output by default
 */
export function openLog(options: LoggerOptions, stream?: DestinationStream): Logger {
  const kinds = new Map<string, Kind>();
  const kindOf = (message: string): string =>
    kinds.has(message) || kinds.size < MOST_KINDS ? message : OTHERS;
  const bounded: LoggerOptions = {
    ...options,
    hooks: {
      logMethod(args, write, level) {
        const [first, second] = args as unknown[];
        const message = typeof first === 'string' ? first : second;
        const isBounded = typeof first === 'object' && first !== null && 'audit' in first;
        if (typeof message !== 'string' || isBounded || level >= FATAL) {
          write.apply(this, args);
          return;
        }
        const name = kindOf(message);
        const kind = kinds.get(name) ?? { lines: 0, more: 0 };
        kinds.set(name, kind);
        kind.lines += 1;
        if (kind.lines === 1) later(() => over(name, kind, level));
        if (kind.lines <= LINES_A_SECOND) write.apply(this, args);
        else kind.more += 1;
      },
    },
  };
  const log = stream === undefined ? pino(bounded) : pino(bounded, stream);
  const over = (name: string, { more }: Kind, level: number): void => {
    kinds.delete(name);
    if (more === 0) return;
    // As a kind of its own, so that it is never counted away.
    log[nameOf(level)]({ more }, `${name}: more of these`);
  };
  return log;
}

/** pino's numbers of levels. */
const FATAL = 60;

function nameOf(level: number): 'error' | 'warn' | 'info' | 'debug' | 'trace' {
  if (level >= 50) return 'error';
  if (level >= 40) return 'warn';
  if (level >= 30) return 'info';
  return level >= 20 ? 'debug' : 'trace';
}

function later(action: () => void): void {
  setTimeout(action, SECOND_MS).unref();
}
