/* Which requests have a line in the audit, and what it says: one place decides. */
import { EngineError } from '../../core/errors.ts';
import { ProtocolError, type ProtocolErrorCode } from '../../protocol/errors.ts';
import type { AuditEntry } from '../identity/audit.ts';
import type { AnyRequest, Result } from './command.ts';
import type { Caller, Services } from './context.ts';
import { proofOf } from './login.ts';

/** Failures by which somebody showed that they are not who they say, or tried what a guesser tries. */
const FAILED: ReadonlySet<ProtocolErrorCode> = new Set([
  'BAD_CREDENTIALS',
  'NO_SUCH_USER',
  'USERNAME_TAKEN',
  'WEAK_PASSWORD',
]);

/** Notes what came of a request, where it concerns an account. @returns what the work returns */
export async function audited(
  { audit }: Pick<Services, 'audit'>,
  caller: Caller,
  request: AnyRequest,
  work: Promise<Result>,
): Promise<Result> {
  const entry = entryOf(caller, request);
  if (entry === null) return work;
  try {
    const result = await work;
    audit.record({ ...entry, outcome: 'ok' });
    return result;
  } catch (error) {
    audit.record({ ...entry, ...outcomeOf(error) });
    throw error;
  }
}

/** An address as a firewall wants it: `[::ffff:]ADDRESS:PORT` without the rest. */
export function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
}

function entryOf({ peer, principal }: Caller, request: AnyRequest): Omit<AuditEntry, 'outcome'> | null {
  const address = addressOf(peer);
  switch (request.type) {
    case 'create':
      return { audit: 'create', user: request.username, address };
    case 'login': {
      const takeover = request.takeover === true && request.deliver !== 'none';
      return {
        audit: 'login',
        user: request.username,
        address,
        by: proofOf(request),
        ...(takeover && { takeover }),
      };
    }
    case 'logout':
    case 'delete':
    case 'password':
      return principal === null ? null : { audit: request.type, user: principal.account.name, address };
    default:
      return null;
  }
}

function outcomeOf(error: unknown): Pick<AuditEntry, 'outcome' | 'reason'> {
  if (error instanceof EngineError) {
    const outcome = error.code === 'UNAVAILABLE' ? 'error' : 'refused';
    return { outcome: error.code === 'USERNAME_TAKEN' ? 'failed' : outcome, reason: error.code };
  }
  if (!(error instanceof ProtocolError)) return { outcome: 'error', reason: 'INTERNAL' };
  const { code } = error;
  // The account is there: only nobody is logged in to it.
  if (error.created) return { outcome: 'ok', reason: code };
  if (FAILED.has(code)) return { outcome: 'failed', reason: code };
  return { outcome: code === 'UNAVAILABLE' || code === 'INTERNAL' ? 'error' : 'refused', reason: code };
}
