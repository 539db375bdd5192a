import { setImmediate as turn } from 'node:timers/promises';
import { FrameDecoder } from '../../src/protocol/frame.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import type { ServerFrame, ServerFrameOf } from '../../src/protocol/v2/replies.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';
import type { Server } from '../../src/server/index.ts';
import { eventually } from '../contracts/cluster.ts';
import { MemoryTransport } from '../server/memory-transport.ts';

/** Turns of the event loop in which most things have happened. */
const SOON = 50;

/** Somebody with a connection in memory, in version 2. */
export class Person {
  /** Pushed, in their order. */
  readonly messages: ServerFrameOf<'message'>[] = [];
  readonly #far: MemoryTransport;
  readonly #replies: ServerFrame[] = [];
  #isOver = false;

  constructor(server: Server, address: string) {
    const [near, far] = MemoryTransport.pair({ address, port: 1 });
    const decoder = new FrameDecoder({ maxPayload: 2 * 1024 * 1024, versions: [2] });
    far.listen({
      received: (bytes) => {
        decoder.push(bytes);
        for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
          this.#take(v2.decodeServerFrame(frame));
        }
      },
      ended: () => this.cut(),
      closed: () => {
        this.#isOver = true;
      },
    });
    this.#far = far;
    server.welcome(near);
  }

  /** Resolves when it is so, mostly in a few turns. */
  static async until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (let left = SOON; left > 0; left--) {
      if (await isSo()) return;
      await turn();
    }
    await eventually(async () => {
      if (!(await isSo())) throw new Error(`not so: ${isSo}`);
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  say(request: Request): void {
    this.#far.write(v2.encodeRequest(request));
  }

  async ask(request: Request): Promise<ServerFrame> {
    this.say(request);
    await Person.until(() => this.#replies.length > 0 || this.#isOver);
    const reply = this.#replies.shift();
    if (reply === undefined) throw new Error(`no reply to ${JSON.stringify(request)}`);
    return reply;
  }

  /** Resolves when so many messages were pushed, and all that was said before is done. */
  async has(messages: number): Promise<void> {
    await Person.until(() => this.messages.length >= messages || this.#isOver);
    if (!this.#isOver) await this.ask({ type: 'ping' });
  }

  /** Resolves when the connection is over. */
  async over(): Promise<void> {
    await Person.until(() => this.#isOver);
  }

  cut(): void {
    this.#far.destroy();
  }

  #take(frame: ServerFrame): void {
    if (frame.type === 'message') this.messages.push(frame);
    else if (!['delivered', 'ping', 'goodbye'].includes(frame.type)) this.#replies.push(frame);
  }
}
