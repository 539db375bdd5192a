import { type API, apiVersionsV4, type Connection, ResponseError } from '@platformatic/kafka';
import { isRefusal } from './kafka-error.ts';
import { nameAt, type Refusals } from './refusals.ts';

/** Sends over a given connection; a response with error codes in it is a response. */
export async function send<A extends unknown[], R>(
  connection: Connection,
  api: API<A, R>,
  ...args: A
): Promise<R> {
  return sendNoting(connection, undefined, api, args);
}

/** As `send`; what is refused for want of a right is told. */
export async function sendNoting<A extends unknown[], R>(
  connection: Connection,
  refusals: Refusals | undefined,
  api: API<A, R>,
  args: A,
): Promise<R> {
  try {
    return await api.async(connection, ...args);
  } catch (error) {
    if (!(error instanceof ResponseError) || error.response === undefined || error.response === null)
      throw error;
    const { response, errors } = error;
    for (const { apiCode, path } of errors) {
      if (typeof apiCode !== 'number' || !isRefusal(apiCode)) continue;
      // Requests about one group or transactional id name it first.
      const name = nameAt(response, String(path)) || (typeof args[0] === 'string' ? args[0] : '');
      refusals?.note(api.key, apiCode, name);
    }
    return response as R;
  }
}

/** The latest version of each request that the broker at the other end knows, by the request's key. */
export async function askVersions(connection: Connection): Promise<ReadonlyMap<number, number>> {
  const { apiKeys } = await send(connection, apiVersionsV4.api, 'milena', '1');
  return new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion]));
}
