import { v1 } from '../../protocol/v1/codec.ts';
import type { ServerFrame } from '../../protocol/v1/replies.ts';
import type { Request } from '../../protocol/v1/requests.ts';
import type { Dialect } from '../dialect.ts';
import { brief } from '../errors.ts';

/** Logout and delete are answered by the end of the connection; a failure that answers nothing is a last word. */
export const dialect1: Dialect<Request, ServerFrame> = {
  codec: v1,
  replies: {
    create: 'created',
    login: 'logged-in',
    logout: null,
    delete: null,
    list: 'listed',
    retrieve: 'retrieved',
    send: 'sent',
  },
  greeting: { type: 'list', pattern: '?' },
  beginsSession: ({ type }) => type === 'created' || type === 'logged-in',
  answers: ({ type }, oldest) => type !== 'message' && !(type === 'failure' && oldest === undefined),
  // There is nothing in a reply by which it could be known.
  mayWait: () => false,
  contradiction: () => undefined,
  failure: (frame) => (frame.type === 'failure' ? { text: brief(frame.text) } : undefined),
};
