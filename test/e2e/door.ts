import { connect, createServer, type Server, type Socket } from 'node:net';

/** One address in front of several frontends, as a load balancer is: new connections go where it points. */
export class Door {
  target: { host: string; port: number };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  private constructor(target: { host: string; port: number }) {
    this.target = target;
    this.#server = createServer((client) => {
      const frontend = connect(this.target);
      for (const [from, to] of [
        [client, frontend],
        [frontend, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => to.resetAndDestroy());
        from.on('close', (hadError) => {
          this.#sockets.delete(from);
          if (hadError) to.resetAndDestroy();
          else to.destroySoon();
        });
        from.pipe(to);
      }
    });
  }

  static async open(target: { host: string; port: number }): Promise<Door> {
    const door = new Door(target);
    await door.listen();
    return door;
  }

  get port(): number {
    return this.#port;
  }

  /** Takes connections again, where it did before. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    this.#port = address.port;
  }

  /** Takes no connections any more; those that there are stay. */
  refuse(): void {
    this.#server.close();
  }

  /** Takes none, and resets those that there are. */
  shut(): void {
    this.refuse();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}
