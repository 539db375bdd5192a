import { Client } from './client.ts';
import type { ClientEvent, ClientOptions } from './events.ts';
import { pageByPage } from './page-by-page.ts';
import type { AccountDevice, Presence } from './requests.ts';
import type { RoomRequests } from './rooms.ts';
import type { Abortable } from './with-signal.ts';

/** A client that is one account for as long as it lives, and what that asks the server. */
export abstract class AccountRequests {
  protected readonly client: Client;
  /** What it asks about rooms. */
  readonly rooms: RoomRequests;

  constructor(options: ClientOptions) {
    this.client = new Client(options, (event) => this.told(event));
    this.rooms = this.client.rooms.by((asking, signal) => this.attempt(asking, signal));
  }

  /** Everything that happens, in order; must not throw. */
  protected abstract told(event: ClientEvent): void;

  /** Rejects instead of throwing, and with why it has ended if it has. @param signal whoever has it waits no longer */
  protected abstract attempt<Value>(asking: () => Promise<Value>, signal?: AbortSignal): Promise<Value>;

  /**
   * Names of accounts that match, in byte order; page after page is asked for as they are read.
   * @param pattern `*` is any run of characters, `?` any one; all unless it is given
   * @throws ClientError
   */
  list(pattern = '', { signal }: Abortable = {}): AsyncGenerator<string, void> {
    return pageByPage(async (after) => {
      const { names, more } = await this.attempt(() => this.client.list(pattern, { after }), signal);
      return { items: names, last: names.at(-1), more };
    });
  }

  /** For each name, as it was given, 200 at most, whether somebody is logged in. @throws ClientError */
  status(names: readonly string[], { signal }: Abortable = {}): Promise<ReadonlyMap<string, Presence>> {
    return this.attempt(() => this.client.whoIsThere(names), signal);
  }

  /** Takes no messages of that sender any more; resolves to all who are blocked. @throws ClientError */
  block(name: string, { signal }: Abortable = {}): Promise<readonly string[]> {
    return this.attempt(() => this.client.block(name, true), signal);
  }

  /** Takes messages of that sender again; resolves to all who are blocked. @throws ClientError */
  unblock(name: string, { signal }: Abortable = {}): Promise<readonly string[]> {
    return this.attempt(() => this.client.block(name, false), signal);
  }

  /** The account's devices, the main one first. @throws ClientError */
  devices({ signal }: Abortable = {}): Promise<readonly AccountDevice[]> {
    return this.attempt(() => this.client.devices(), signal);
  }

  /** Whoever is logged in with that device is logged out, and nothing is kept for it any more. @throws ClientError */
  forgetDevice(name: string, { signal }: Abortable = {}): Promise<void> {
    return this.attempt(() => this.client.forgetDevice(name), signal);
  }

  /** As `read-elsewhere` has it, to other devices: read up to the message with that `seq`. @throws ClientError */
  markRead(conversation: string, upTo: number, { signal }: Abortable = {}): Promise<void> {
    return this.attempt(() => this.client.markRead(conversation, upTo), signal);
  }
}
