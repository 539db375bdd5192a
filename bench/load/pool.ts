import { Remote } from './rpc.ts';
import type { SetUp, TaskName, TaskOptions, TaskResult } from './tasks.ts';

/** The worker processes, with the users dealt out to them in turn. */
export class Pool {
  readonly #workers: readonly Remote[];

  constructor(workers: number) {
    this.#workers = Array.from({ length: workers }, () => new Remote('worker.ts'));
  }

  get size(): number {
    return this.#workers.length;
  }

  get pids(): number[] {
    return this.#workers.map((worker) => worker.pid);
  }

  async setUp(options: Omit<SetUp, 'first' | 'step'> & { first?: number }): Promise<void> {
    const { first = 0 } = options;
    await this.each('setUp', (index) => ({ ...options, first: first + index, step: this.size }));
  }

  all<Name extends TaskName>(task: Name, options: TaskOptions<Name>): Promise<TaskResult<Name>[]> {
    return this.each(task, () => options);
  }

  /** Asks only the first worker. */
  one<Name extends TaskName>(task: Name, options: TaskOptions<Name>): Promise<TaskResult<Name>> {
    const [worker] = this.#workers;
    if (worker === undefined) throw new Error('no worker');
    return worker.call(task, options) as Promise<TaskResult<Name>>;
  }

  each<Name extends TaskName>(
    task: Name,
    options: (index: number) => TaskOptions<Name>,
  ): Promise<TaskResult<Name>[]> {
    return Promise.all(
      this.#workers.map((worker, index) => worker.call(task, options(index)) as Promise<TaskResult<Name>>),
    );
  }

  end(): void {
    for (const worker of this.#workers) worker.end();
  }
}
