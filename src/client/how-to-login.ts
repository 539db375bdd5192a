import type { Deliver, RequestOf } from '../protocol/v2/requests.ts';
import { ClientError } from './errors.ts';
import type { ClientOptions } from './events.ts';
import type { Welcome } from './reconnector.ts';

/** What a login says beside whose it is. */
export type How = Pick<RequestOf<'login'>, 'deliver' | 'device' | 'last'>;

/** What the client says that it can, of which a login takes note. */
export function announced(
  options: Pick<ClientOptions, 'device' | 'elsewhere' | 'deliver' | 'rooms'>,
): Pick<RequestOf<'hello'>, 'features'> {
  const { device, elsewhere = device !== undefined } = options;
  const features = [...(elsewhere ? ['devices'] : []), ...(hasRooms(options) ? ['rooms', 'windows'] : [])];
  return features.length > 0 ? { features } : {};
}

/** Whether messages of rooms come and go, where the server has them. */
export function hasRooms({
  deliver,
  rooms = deliver === 'none',
}: Pick<ClientOptions, 'deliver' | 'rooms'>): boolean {
  return rooms;
}

/** A server that knows no logins that only send gets one that receives what comes, and no more. */
export function deliverOf(
  { deliver = 'all' }: Pick<ClientOptions, 'deliver'>,
  welcome: Welcome | null,
): Deliver {
  return deliver !== 'none' || welcome?.features.includes('deliver-none') ? deliver : 'live';
}

/** @throws ClientError `INVALID` where the server would take any device for the main one */
export function deviceOf(
  { device, last }: Pick<ClientOptions, 'device' | 'last'>,
  welcome: Welcome | null,
): Pick<How, 'device' | 'last'> {
  if (device === undefined) return {};
  if (welcome?.features.includes('devices')) return { device, ...(last !== undefined && { last }) };
  throw new ClientError('INVALID', 'This server is too old for devices.');
}
