import { expect, vi } from 'vitest';
import { Client } from '../../src/client/client.ts';
import { DEFAULT_OPTIONS } from '../../src/client/events.ts';
import { PASSWORD } from './client-terminal.ts';

/** Somebody without a screen, who writes down what comes. */
export class Friend {
  readonly name: string;
  readonly bodies: string[] = [];
  /** Messages that somebody's client has shown. */
  delivered = 0;
  readonly #client: Client;

  private constructor(name: string, address: { host: string; port: number }) {
    this.name = name;
    this.#client = new Client({ ...DEFAULT_OPTIONS, servers: [address] }, (event) => {
      if (event.type === 'outgoing' && event.entry.state.kind === 'delivered') this.delivered += 1;
      if (event.type !== 'message') return;
      this.bodies.push(event.message.body);
      this.#client.shown(event.inbox, event.message);
    });
  }

  static async create(name: string, address: { host: string; port: number }): Promise<Friend> {
    const friend = new Friend(name, address);
    friend.#client.start();
    await vi.waitFor(() => expect(friend.#client.state.link.kind).toBe('online'), { timeout: 20_000 });
    await friend.#client.create(name, PASSWORD);
    return friend;
  }

  write(to: string, body: string): void {
    this.#client.send(to, body);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
