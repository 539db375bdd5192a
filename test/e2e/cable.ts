import { connect, createServer, type Server, type Socket } from 'node:net';

/** A network cable to one address: while it is held nothing gets through, and nothing is lost. */
export class Cable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isHeld = false;

  private constructor(target: () => { host: string; port: number }) {
    // Half-open as the connections themselves: an end is passed on like everything else.
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
      const far = connect({ ...target(), allowHalfOpen: true });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (chunk) => {
          to.write(chunk);
        });
        from.on('end', () => to.end());
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroySoon();
        });
        if (this.#isHeld) from.pause();
        else from.resume();
      }
    });
  }

  /** @param target asked at each connection */
  static async open(target: () => { host: string; port: number }): Promise<Cable> {
    const cable = new Cable(target);
    await new Promise<void>((resolve, reject) => {
      cable.#server.once('error', reject);
      cable.#server.listen(0, '127.0.0.1', resolve);
    });
    return cable;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    return address.port;
  }

  hold(): void {
    this.#isHeld = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** What was held goes on. */
  release(): void {
    this.#isHeld = false;
    for (const socket of this.#sockets) socket.resume();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
