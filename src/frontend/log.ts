import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';

/** Lines of one kind a second; more are counted, and said in one line when the second is over. */
const LINES_A_SECOND = 2;
const SECOND_MS = 1_000;
/** Kinds that are told apart: messages are constants of ours, so there are some dozens. Above it all others are one. */
const MOST_KINDS = 200;

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
  const kindOf = (message: string): Kind => {
    const key = kinds.has(message) || kinds.size < MOST_KINDS ? message : '';
    const kind = kinds.get(key) ?? { lines: 0, more: 0 };
    kinds.set(key, kind);
    return kind;
  };
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
        const kind = kindOf(message);
        kind.lines += 1;
        if (kind.lines === 1) later(() => over(message, kind, level));
        if (kind.lines <= LINES_A_SECOND) write.apply(this, args);
        else kind.more += 1;
      },
    },
  };
  const log = stream === undefined ? pino(bounded) : pino(bounded, stream);
  const over = (message: string, kind: Kind, level: number): void => {
    const { more } = kind;
    kinds.delete(message);
    if (more === 0) return;
    // As a kind of its own, so that it is never counted away.
    log[nameOf(level)]({ more }, `${message}: more of these`);
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
