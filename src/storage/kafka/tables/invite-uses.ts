/**
 * Which accounts were made with which invite, in the order in which they stand in the log: so of two frontends that race
 * for the last use both know who was first. It holds accounts that were made with one, and no others.
 */
export class InviteUses {
  readonly #names = new Map<string, Set<string>>();
  readonly #invites = new Map<string, string>();

  /** An account is there. @param invite null: made without one */
  set(name: string, invite: string | null): void {
    const before = this.#invites.get(name) ?? null;
    if (before === invite) return;
    this.delete(name);
    if (invite === null) return;
    this.#invites.set(name, invite);
    const names = this.#names.get(invite) ?? new Set();
    this.#names.set(invite, names.add(name));
  }

  delete(name: string): void {
    const invite = this.#invites.get(name);
    if (invite === undefined) return;
    this.#invites.delete(name);
    const names = this.#names.get(invite);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(invite);
  }

  count(invite: string): number {
    return this.#names.get(invite)?.size ?? 0;
  }

  /** Accounts made with the same invite before this one. */
  before(name: string, invite: string): number {
    const at = [...(this.#names.get(invite) ?? [])].indexOf(name);
    return at === -1 ? 0 : at;
  }
}
