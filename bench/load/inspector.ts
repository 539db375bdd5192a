import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What V8 says of one script (`Profiler.ScriptCoverage`), as far as calls are counted in it. */
interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    /** The first one is the function itself. */
    readonly ranges: readonly { readonly startOffset: number; readonly count: number }[];
  }[];
}

/** The inspector of another process of Node, over its WebSocket (`--inspect`). */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer: Answer = JSON.parse(String(data));
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  static async connect(host: string, port: number): Promise<Inspector> {
    const response = await fetch(`http://${host}:${port}/json/list`);
    const [target] = (await response.json()) as { webSocketDebuggerUrl: string }[];
    if (target === undefined) throw new Error('there is nothing to inspect');
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error('the inspector does not answer')));
    });
    return new Inspector(socket);
  }

  /** From now on V8 counts every call; that costs the process much of its speed. */
  async countCalls(): Promise<void> {
    await this.#ask('Profiler.enable');
    await this.#ask('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  }

  /** Calls since the last time, by script and function. */
  async takeCalls(): Promise<ReadonlyMap<string, number>> {
    const { result } = (await this.#ask('Profiler.takePreciseCoverage')) as {
      result: readonly ScriptCoverage[];
    };
    const calls = new Map<string, number>();
    for (const { url, functions } of result) {
      const script = url.replace(`file://${ROOT}`, '').replace(/^.*node_modules\//, '');
      for (const { functionName, ranges } of functions) {
        const [{ startOffset, count } = { startOffset: 0, count: 0 }] = ranges;
        if (count === 0) continue;
        const name = `${script} ${functionName || `(at ${startOffset})`}`;
        calls.set(name, (calls.get(name) ?? 0) + count);
      }
    }
    return calls;
  }

  /** What the process takes after its garbage is collected, bytes; it runs with `--expose-gc`. */
  async memory(): Promise<NodeJS.MemoryUsage> {
    const expression = 'gc(); gc(); process.memoryUsage()';
    const answer = await this.#ask('Runtime.evaluate', { expression, returnByValue: true });
    return (answer as { result: { value: NodeJS.MemoryUsage } }).result.value;
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result);
        else reject(new Error(`${method}: ${error.message}`));
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}
