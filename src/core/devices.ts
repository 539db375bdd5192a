import type { Account } from './accounts.ts';

/** Devices that an account may have beside its main one. */
export const MAX_DEVICES = 16;

/** One of an account's devices; the main one, which every account has, is none of these. */
export interface Device {
  /** `[a-z0-9][a-z0-9_-]{0,31}` */
  readonly name: string;
  /** Milliseconds since the epoch, some hours old at most while somebody is logged in with it. */
  readonly lastLogin: number;
}

/** What one has begun with in a mailbox, as it is now. */
export interface DeviceState {
  /** Undefined: the main one. */
  readonly name: string | undefined;
  /** Whether somebody is logged in with it, through any server. */
  readonly isHeld: boolean;
  /** Messages that it has not acknowledged, whatever others have. */
  readonly waiting: number;
}

/** What tells the devices of all accounts apart: the main one has its account's name, in which there is no dot. */
export function deviceKey({ name }: Pick<Account, 'name'>, device: string | undefined): string {
  return device === undefined ? name : `${name}.${device}`;
}

/** All devices of an account by their names, the main one first. */
export function devicesOf({ devices = [] }: Pick<Account, 'devices'>): (string | undefined)[] {
  return [undefined, ...devices.map(({ name }) => name)];
}
