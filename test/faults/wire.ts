import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What a wire does: everything gets through; nobody is let in and who is in is thrown out; nothing gets through, and nothing
 * says so; nothing gets there; nothing comes back; or all of it comes later.
 */
export type WireMode =
  | 'open'
  | 'refused'
  | 'hole'
  | 'no-requests'
  | 'no-answers'
  | { readonly delayMs: number };

const HELD: Readonly<Record<'requests' | 'answers', readonly WireMode[]>> = {
  requests: ['hole', 'no-requests'],
  answers: ['hole', 'no-answers'],
};

interface Line {
  readonly way: 'requests' | 'answers';
  readonly from: Socket;
  readonly to: Socket;
  /** What comes later, in its order, and when: nothing overtakes it, also once the wire is open again. */
  readonly late: { readonly at: number; readonly act: () => void }[];
}

/** A way to one address, which can be cut in each manner of a network. */
export class Wire {
  readonly #target: number;
  readonly #lines = new Set<Line>();
  #server: Server;
  #port = 0;
  #mode: WireMode = 'open';

  private constructor(target: number) {
    this.#target = target;
    this.#server = this.#makeServer();
  }

  /** @param target a port on 127.0.0.1 */
  static async open(target: number): Promise<Wire> {
    const wire = new Wire(target);
    await wire.#listen();
    return wire;
  }

  get port(): number {
    return this.#port;
  }

  async set(mode: WireMode): Promise<void> {
    const before = this.#mode;
    this.#mode = mode;
    if (mode === 'refused') {
      if (before !== 'refused') this.#server.close();
      this.reset();
    } else if (before === 'refused') {
      this.#server = this.#makeServer();
      await this.#listen();
    }
    for (const line of this.#lines) this.#holdOrNot(line);
  }

  /** Ends every connection, with what is held in it. */
  reset(): void {
    for (const { from } of this.#lines) from.resetAndDestroy();
  }

  close(): void {
    if (this.#mode !== 'refused') this.#server.close();
    this.reset();
  }

  #makeServer(): Server {
    return createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
      const far = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true });
      for (const socket of [near, far]) socket.setNoDelay(true);
      this.#lay({ way: 'requests', from: near, to: far, late: [] });
      this.#lay({ way: 'answers', from: far, to: near, late: [] });
    });
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #lay(line: Line): void {
    const { from, to } = line;
    this.#lines.add(line);
    from.on('data', (chunk) => this.#later(line, () => to.write(chunk)));
    from.on('end', () => this.#later(line, () => to.end()));
    from.on('error', () => to.resetAndDestroy());
    from.on('close', (hadError) => {
      this.#lines.delete(line);
      if (hadError) to.resetAndDestroy();
      else this.#later(line, () => to.destroySoon());
    });
    this.#holdOrNot(line);
  }

  #later(line: Line, act: () => void): void {
    const delayMs = typeof this.#mode === 'object' ? this.#mode.delayMs : 0;
    if (line.late.length === 0 && delayMs === 0) act();
    else if (line.late.push({ at: performance.now() + delayMs, act }) === 1) this.#actLater(line);
  }

  #actLater({ late }: Pick<Line, 'late'>): void {
    const wait = (late[0]?.at ?? 0) - performance.now();
    setTimeout(
      () => {
        while (late[0] !== undefined && late[0].at <= performance.now()) late.shift()?.act();
        if (late.length > 0) this.#actLater({ late });
      },
      Math.max(0, wait),
    );
  }

  #holdOrNot({ way, from }: Line): void {
    if (HELD[way].includes(this.#mode)) from.pause();
    else from.resume();
  }
}
