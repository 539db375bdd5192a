import type { Logger } from 'pino';
import { type Account, type Accounts, isSameLife } from '../core/accounts.ts';
import { type Device, deviceKey, devicesOf, MAX_DEVICES } from '../core/devices.ts';
import { EngineError } from '../core/errors.ts';
import type { Inboxes } from '../core/inboxes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { Queues } from '../util/semaphore.ts';
import { type Authentication, NO_RESUMPTION } from './identity/identity.ts';
import type { Limits } from './limits.ts';

/** A login is written down again after this, or half of the time after which devices are forgotten. */
const REFRESH_MS = 86_400_000;
/** So often those who are logged in are looked at. */
const LOOK_MS = 3_600_000;

export interface DevicesOptions {
  readonly accounts: Pick<Accounts, 'update' | 'get' | 'findEvenly'>;
  readonly inboxes: Pick<Inboxes, 'forget'>;
  readonly identity: Pick<Authentication, 'forgetToken'>;
  readonly limits: Pick<Limits, 'deviceMs'>;
  readonly log: Logger;
  /** Whoever is logged in here, with a device other than the main one. */
  readonly here: () => Iterable<{ readonly account: Account; readonly device: string }>;
}

interface HowToBegin {
  readonly begins: boolean;
  readonly takeover: boolean;
}

/** Which devices accounts have beside their main ones: one comes with its first login, and is forgotten when it stays away. */
export class Devices {
  readonly #options: DevicesOptions;
  readonly #timer: NodeJS.Timeout;
  /** Logins with a device that comes for the first time. */
  readonly #beginnings = new Queues();

  constructor(options: DevicesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    // It holds up nobody who wants to end.
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /**
   * Somebody logs in, or is logged in still: the device is one of the account's from now on, and those that have not come for
   * too long are none any more.
   * @param how `begins`: it may be one that comes for the first time; `takeover`: and end the login of one that others just begin with
   * @returns the account as it is then
   * @throws ProtocolError `TOO_MANY_DEVICES`, `BAD_CREDENTIALS` where it is none and may not begin; EngineError, also `ALREADY_LOGGED_IN`
   */
  async enter(account: Account, device: string | undefined, how: HowToBegin): Promise<Account> {
    if (!how.begins || devicesOf(account).includes(device)) return this.#note(account, device, how.begins);
    return this.#beginnings.pass(deviceKey(account, device), true, async () => {
      // Another login may have begun with it meanwhile, also elsewhere.
      const current = await this.#options.accounts.findEvenly(account.name);
      if (!isSameLife(current, account)) throw new EngineError('NO_SUCH_USER', `${account.name} is gone`);
      // What an earlier one of that name has left behind is not to be gone on with.
      if (!devicesOf(current).includes(device)) {
        await this.#options.inboxes.forget(current, device, how);
        await this.#options.identity.forgetToken(current, device);
      }
      return this.#note(current, device, true);
    });
  }

  async #note(account: Account, device: string | undefined, begins: boolean): Promise<Account> {
    const isThere = devicesOf(account).includes(device);
    if (isThere && this.#after(account, device, begins) === account.devices) return account;
    let before = account;
    const entered = await this.#options.accounts.update(account, (current) => {
      before = current;
      const devices = this.#after(current, device, begins);
      return devices === current.devices || devices === undefined ? null : { devices };
    });
    const left = devicesOf(before).filter((name) => !devicesOf(entered).includes(name));
    await Promise.all(left.map((name) => this.#erase(entered, name)));
    if (devicesOf(entered).includes(device)) return entered;
    if (!begins) throw new ProtocolError('BAD_CREDENTIALS', NO_RESUMPTION);
    const text = `An account has at most ${MAX_DEVICES} devices beside its main one: forget one first.`;
    throw new ProtocolError('TOO_MANY_DEVICES', text);
  }

  /** The device is none of the account's any more; whoever is logged in with it is not. @throws ProtocolError `NO_SUCH_DEVICE`; EngineError */
  async forget(account: Account, device: string): Promise<void> {
    if (!devicesOf(account).includes(device)) throw new ProtocolError('NO_SUCH_DEVICE');
    const without = await this.#options.accounts.update(account, ({ devices = [] }) => ({
      devices: devices.filter(({ name }) => name !== device),
    }));
    await this.#erase(without, device);
  }

  /** The account is gone: what is kept of its devices, but for one, is kept no longer. Never fails. */
  async removed(account: Account, but: string | undefined): Promise<void> {
    const others = devicesOf(account).filter((name) => name !== but);
    await Promise.all(others.map((name) => this.#erase(account, name)));
  }

  /** Never fails: what is left over lets nobody in, and goes before one of that name begins again. */
  async #erase(account: Account, device: string | undefined): Promise<void> {
    const { inboxes, identity } = this.#options;
    const steps = [
      identity.forgetToken(account, device),
      inboxes.forget(account, device, { takeover: true }),
    ];
    for (const step of await Promise.allSettled(steps)) {
      if (step.status === 'fulfilled') continue;
      const fields = { err: step.reason, device: deviceKey(account, device) };
      this.#options.log.warn(fields, 'a device left something behind');
    }
  }

  /** The very list that is there where nothing is to be changed. */
  #after({ devices }: Account, device: string | undefined, begins: boolean): readonly Device[] | undefined {
    const now = Date.now();
    const { deviceMs } = this.#options.limits;
    const known = devices ?? [];
    const present = known.find(({ name }) => name === device);
    const kept = known.filter((each) => each === present || now - each.lastLogin <= deviceMs);
    const isFresh = present && now - present.lastLogin < Math.min(REFRESH_MS, deviceMs / 2);
    if (device === undefined || isFresh || !(present || begins))
      return kept.length === known.length ? devices : kept;
    const seen = { name: device, lastLogin: now };
    if (present) return kept.map((each) => (each === present ? seen : each));
    return kept.length < MAX_DEVICES ? [...kept, seen] : kept.length === known.length ? devices : kept;
  }

  #look(): void {
    const { accounts, here, log } = this.#options;
    for (const { account, device } of here()) {
      this.#note(accounts.get(account.name) ?? account, device, false).catch((error: unknown) => {
        log.debug({ err: error, user: account.name, device }, 'a login was not written down again');
      });
    }
  }
}
