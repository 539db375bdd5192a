import type { FloorTasks } from './floor-worker.ts';
import { Remote } from './rpc.ts';

type Name = 'open' | 'latency' | 'throughput' | 'once' | 'obvious';

/** Kafka itself, asked from a process of its own as users are. */
export class Floor {
  readonly #remote = new Remote('floor-worker.ts');
  readonly #kafka: string;
  readonly #replicas: number;
  #topics = 0;

  /** @param kafka `host:port`, joined by commas */
  constructor(kafka: string, replicas: number) {
    this.#kafka = kafka;
    this.#replicas = replicas;
  }

  get pid(): number {
    return this.#remote.pid;
  }

  /** Has at least so many topics of its own. @param anew connects again: the broker was restarted */
  async prepare(topics: number, anew = false): Promise<void> {
    if (topics <= this.#topics && !anew) return;
    this.#topics = Math.max(topics, this.#topics);
    const names = Array.from({ length: this.#topics }, (_, i) => `milena-bench-floor-${i}`);
    await this.ask('open', { brokers: this.#kafka, topics: names, replicas: this.#replicas });
  }

  ask<Task extends Name>(
    task: Task,
    options: Parameters<FloorTasks[Task]>[0],
  ): Promise<Awaited<ReturnType<FloorTasks[Task]>>> {
    return this.#remote.call(task, options) as Promise<Awaited<ReturnType<FloorTasks[Task]>>>;
  }

  end(): void {
    this.#remote.end();
  }
}
