/*
 * receipts {receipts} → fates {fates}: what became of messages that were accepted, each in its place, through whichever
 * frontend and however long ago. A message is `undeliverable` when the life of its recipient, or of its inbox, is over, or
 * when Kafka lost or deleted it before it was read, and `unknown`
 * where no frontend has made such a receipt for the caller.
 * Failures: UNAVAILABLE.
 */
import type { Account } from '../../core/accounts.ts';
import type { ReportedFate, ServerFrameOf } from '../../protocol/v2/replies.ts';
import { decodeReceipt, isOfLife, type ReceiptContent } from '../receipts/receipt.ts';
import type { RequestFor } from './command.ts';
import type { Caller, Principal, Services } from './context.ts';

/** @throws EngineError */
export async function receipts(
  services: Services,
  { principal }: Caller<Principal>,
  request: RequestFor<'receipts'>,
): Promise<ServerFrameOf<'fates'>> {
  const contents = request.receipts.map((receipt) => decodeReceipt(principal.account.incarnation, receipt));
  const recipients = await findRecipients(services, contents);
  const asked = contents.map((content, i) => {
    const to = recipients[i];
    if (content === null || to === undefined || !isOfLife(content, to)) return null;
    const { offset, epoch, acceptedAt } = content;
    return { to, offset, epoch, acceptedAt };
  });
  const questions = asked.filter((question) => question !== null);
  const answers = await services.questions.ask(principal.account.name, questions, (some) =>
    services.inboxes.fates(some, { inLog: true }),
  );
  const found = new Map(questions.map((question, i) => [question, answers[i]]));
  const fates = contents.map((content, i): ReportedFate => {
    const question = asked[i];
    if (content === null) return 'unknown';
    if (question === null || question === undefined) return 'undeliverable';
    return found.get(question) ?? 'waiting';
  });
  return { type: 'fates', fates };
}

/** A life that our table does not show may just have begun elsewhere; one look brings the whole table up to date. */
async function findRecipients(
  { accounts }: Services,
  contents: readonly (ReceiptContent | null)[],
): Promise<(Account | undefined)[]> {
  const stale = contents.find((content) => {
    const known = content === null ? undefined : accounts.get(content.name);
    return content !== null && (known === undefined || !isOfLife(content, known));
  });
  if (stale !== null && stale !== undefined) await accounts.findEvenly(stale.name);
  return contents.map((content) => (content === null ? undefined : accounts.get(content.name)));
}
