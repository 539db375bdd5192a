import { ClientError } from './errors.ts';

/** What every request takes. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** The two ends of a promise. */
export interface Settle<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A promise that a signal ends.
 * @param begin gets what settles it, and gives what takes that back when the signal comes first
 * @throws ClientError `ABORTED`, whose cause is the signal's reason
 */
export function withSignal<Value>(
  signal: AbortSignal | undefined,
  begin: (settle: Settle<Value>) => () => void,
): Promise<Value> {
  if (signal?.aborted) return Promise.reject(aborted(signal));
  return new Promise((resolve, reject) => {
    const settled = new AbortController();
    const takeBack = begin({
      resolve: (value) => {
        settled.abort();
        resolve(value);
      },
      reject: (error) => {
        settled.abort();
        reject(error);
      },
    });
    if (signal === undefined || settled.signal.aborted) return;
    const abort = () => {
      takeBack();
      reject(aborted(signal));
    };
    signal.addEventListener('abort', abort, { once: true, signal: settled.signal });
  });
}

/** What a caller hears whose signal has ended it. @param nothingSent whether it surely had no effect */
export function aborted({ reason }: AbortSignal, nothingSent = true): ClientError {
  const why = reason instanceof Error ? reason.message : String(reason);
  return new ClientError('ABORTED', `Given up: ${why}`, { cause: reason, nothingSent });
}

/** What is asked for; rejects as soon as the signal says so, when that may still be carried out. @throws ClientError `ABORTED` */
export async function whileWanted<Value>(
  signal: AbortSignal | undefined,
  asking: () => Promise<Value>,
): Promise<Value> {
  if (signal === undefined) return asking();
  if (signal.aborted) throw aborted(signal);
  return withSignal<Value>(signal, ({ resolve, reject }) => {
    asking().then(resolve, reject);
    return () => undefined;
  }).catch((error: unknown) => {
    throw signal.aborted ? aborted(signal, false) : error;
  });
}
