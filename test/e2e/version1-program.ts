/*
 * A program written from the table of version 1 in the protocol's description and from nothing else: plain sockets,
 * bytes by hand, no code shared with the server or the client.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

interface Wire {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A connection that reads one frame at a time. */
class Line {
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);
  #over = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      socket.emit('progress');
    });
    socket.on('close', () => {
      this.#over = true;
      socket.emit('progress');
    });
  }

  static async open(host: string, port: number): Promise<Line> {
    const socket = connect({ host, port });
    await once(socket, 'connect');
    return new Line(socket);
  }

  send(opcode: number, payload: string | Buffer = ''): void {
    const bytes = Buffer.from(payload);
    const header = Buffer.from([1, 0, 0, 0, 0, opcode]);
    header.writeUInt32BE(bytes.length, 1);
    this.#socket.write(Buffer.concat([header, bytes]));
  }

  async next(): Promise<Wire> {
    for (;;) {
      if (this.#bytes.length >= 6) {
        const size = this.#bytes.readUInt32BE(1);
        if (this.#bytes.length >= 6 + size) {
          assert.equal(this.#bytes[0], 1, 'the version of every frame is 1');
          const frame = { opcode: this.#bytes.readUInt8(5), payload: this.#bytes.subarray(6, 6 + size) };
          this.#bytes = this.#bytes.subarray(6 + size);
          return frame;
        }
      }
      assert.equal(this.#over, false, 'the server closed where a frame was due');
      await once(this.#socket, 'progress');
    }
  }

  async expect(opcode: number, payload: RegExp): Promise<Buffer> {
    const frame = await this.next();
    assert.equal(frame.opcode.toString(16), opcode.toString(16), frame.payload.toString());
    assert.match(frame.payload.toString(), payload);
    return frame.payload;
  }

  /** Nothing more comes but the end. */
  async closed(): Promise<void> {
    while (!this.#over) await once(this.#socket, 'progress');
    assert.equal(this.#bytes.length, 0, 'no byte before the end');
  }

  /** As the client of 2018 does it: writes and shuts its socket at once. */
  sendAndShut(opcode: number): void {
    this.send(opcode);
    this.#socket.destroySoon();
  }
}

const oneByteLength = (to: string, body: string) =>
  Buffer.concat([Buffer.from([to.length]), Buffer.from(to + body)]);
const fourByteLength = (to: string, body: string) =>
  Buffer.concat([Buffer.from([0, 0, 0, to.length]), Buffer.from(to + body)]);

/**
 * Plays all of version 1 through one server, or through two on the same Kafka.
 * @param suffix makes the two names unique: at most 20 characters
 * @throws AssertionError where a reply is not what the table says
 */
export async function playVersion1(
  first: { host: string; port: number },
  second: { host: string; port: number },
  suffix: string,
): Promise<void> {
  const [alice, bob] = [`alice-${suffix}`, `bob-${suffix}`];
  const a = await Line.open(first.host, first.port);
  a.send(0x10, alice);
  await a.expect(0x11, /./s);

  let b = await Line.open(second.host, second.port);
  b.send(0x10, alice);
  await b.expect(0x22, /taken/);
  b.send(0x10, bob);
  await b.expect(0x11, /./s);

  // List: all, and by wildcards.
  b.send(0x50);
  assert.ok((await b.expect(0x51, /./)).toString().split('; ').includes(bob));
  b.send(0x50, `?ob-${suffix}`);
  await b.expect(0x51, new RegExp(`^${bob}$`));
  b.send(0x50, `*-${suffix}`);
  await b.expect(0x51, new RegExp(`^${alice}; ${bob}$`));

  // Log out, and have messages wait.
  b.send(0x30);
  await b.closed();
  a.send(0x70, oneByteLength(bob, 'sent with one byte'));
  await a.expect(0x71, /queued/);
  a.send(0x70, fourByteLength(bob, 'sent with four\nbytes: ä☂'));
  await a.expect(0x71, /queued/);
  a.send(0x70, fourByteLength(`nobody-${suffix}`, 'hello?'));
  await a.expect(0x22, /./);

  // Retrieve clears, and what comes while logged in is pushed.
  b = await Line.open(second.host, second.port);
  b.send(0x20, bob);
  await b.expect(0x21, /./s);
  const busy = await Line.open(first.host, first.port);
  busy.send(0x20, bob);
  await busy.expect(0x22, /already logged in/);
  b.send(0x60);
  await b.expect(0x61, new RegExp(`^${alice}: sent with one byte\n\n${alice}: sent with four\nbytes: ä☂$`));
  b.send(0x60);
  await b.expect(0x61, /^$/);
  a.send(0x70, oneByteLength(bob, 'live'));
  await a.expect(0x71, /delivered/);
  const push = await b.expect(0x72, /live$/);
  assert.equal(push.readUInt32BE(0), alice.length);
  assert.equal(push.subarray(4).toString(), `${alice}live`);

  // Delete is refused while something waits.
  b.send(0x30);
  await b.closed();
  a.send(0x70, oneByteLength(bob, 'one more'));
  await a.expect(0x71, /queued/);
  b = await Line.open(second.host, second.port);
  b.send(0x20, bob);
  await b.expect(0x21, /./s);
  b.send(0x40);
  await b.expect(0x22, /1 undelivered/);
  b.send(0x60);
  await b.expect(0x61, new RegExp(`^${alice}: one more$`));
  b.send(0x40);
  await b.closed();
  busy.send(0x20, bob);
  await busy.expect(0x22, /no user/);

  // Delete and be gone before the server has read it.
  a.sendAndShut(0x40);
  for (;;) {
    busy.send(0x50, `*-${suffix}`);
    const { opcode, payload } = await busy.next();
    assert.equal(opcode, 0x51);
    if (payload.length === 0) break;
  }
  busy.sendAndShut(0x30);
}
