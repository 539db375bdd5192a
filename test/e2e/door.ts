import { connect, createServer, type Server, type Socket } from 'node:net';

/** One address in front of several frontends, as a load balancer is: new connections go where it points. */
export class Door {
  target: { host: string; port: number };
  /** Closed, it takes no connection, and those that there are end. */
  #isOpen = true;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: { host: string; port: number }) {
    this.target = target;
    this.#server = createServer((client) => {
      if (!this.#isOpen) {
        client.destroy();
        return;
      }
      const frontend = connect(this.target);
      for (const [from, to] of [
        [client, frontend],
        [frontend, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  static async open(target: { host: string; port: number }): Promise<Door> {
    const door = new Door(target);
    await new Promise<void>((resolve) => door.#server.listen(0, '127.0.0.1', resolve));
    return door;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    return address.port;
  }

  shut(): void {
    this.#isOpen = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  unlock(): void {
    this.#isOpen = true;
  }

  async remove(): Promise<void> {
    this.shut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
