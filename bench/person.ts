import { createConnection, type Socket } from 'node:net';
import { FrameDecoder, MAX_REPLY_PAYLOAD } from '../src/protocol/frame.ts';
import { decodeServerFrame, type ServerFrame } from '../src/protocol/v1/replies.ts';
import { encodeRequest, type Request } from '../src/protocol/v1/requests.ts';

/** One client of protocol version 1 over a socket of its own, as thin as can be: it is there to load the server. */
export class Person {
  readonly name: string;
  /** Called for every pushed message. */
  onMessage: (body: string) => void = () => {};
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder({ maxPayload: MAX_REPLY_PAYLOAD });
  readonly #replies: { resolve: (frame: ServerFrame) => void; reject: (error: Error) => void }[] = [];

  private constructor(name: string, socket: Socket) {
    this.name = name;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error(`the server closed the connection of ${name}`)));
  }

  static connect(name: string, host: string, port: number): Promise<Person> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host, port }, () => resolve(new Person(name, socket)));
      socket.once('error', reject);
    });
  }

  /** Sends a request and waits for its reply. @throws when the server says no */
  async request(request: Request): Promise<ServerFrame> {
    const reply = await new Promise<ServerFrame>((resolve, reject) => {
      this.#replies.push({ resolve, reject });
      this.#socket.write(encodeRequest(request));
    });
    if (reply.type === 'failure') throw new Error(`${this.name}, ${request.type}: ${reply.text}`);
    return reply;
  }

  /** Sends a request whose success is that the server closes the connection. */
  leaveFor(request: Request): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.removeAllListeners('close');
      this.#socket.once('close', () => resolve());
      this.#socket.write(encodeRequest(request));
    });
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#decoder.push(chunk);
    for (let frame = this.#decoder.next(); frame; frame = this.#decoder.next()) {
      const value = decodeServerFrame(frame);
      if (value.type === 'message') this.onMessage(value.body);
      else this.#replies.shift()?.resolve(value);
    }
  }

  #fail(error: Error): void {
    for (const waiting of this.#replies.splice(0)) waiting.reject(error);
  }
}
