import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { Correspondents } from '../../src/storage/kafka/groups/correspondents.ts';
import { type MailboxEstimate, MailboxLimits } from '../../src/storage/kafka/inbox/mailbox-limits.ts';
import { idOf } from '../ids.ts';
import { sized } from '../size.ts';

const LIMITS = { maxMessages: 100_000, maxBytes: 2 ** 40, senderShare: 0.5, strangerShare: 1 };

function account(name: string): Account {
  const rest = { displayName: null, credential: null, disabled: false, blocked: [], createdAt: 0 };
  return { name, incarnation: idOf(`life of ${name}`), topicId: name, ...rest };
}

/** Limits of inboxes that Kafka says are empty, and how often it was asked. */
function open() {
  const looks: string[] = [];
  const limits = new MailboxLimits({
    ...LIMITS,
    readStats: async (to) => {
      looks.push(to.name);
      return { position: null, correspondents: new Correspondents(), start: 0, end: 0, epoch: 0 };
    },
  });
  return { limits, looks };
}

async function send(
  limits: MailboxLimits,
  to: Account,
  sender: string,
  offset: number,
): Promise<MailboxEstimate> {
  return limits.run(to, account(sender), async (mailbox) => {
    limits.stored(mailbox, sender, 10, offset);
    return mailbox;
  });
}

describe('what is counted of an inbox', () => {
  it('is every message that was stored since the look, the last one that it takes and no more', async () => {
    const look = { position: null, correspondents: new Correspondents(), start: 0, end: 3, epoch: 0 };
    const limits = new MailboxLimits({
      ...LIMITS,
      maxMessages: 10,
      senderShare: 1,
      readStats: async () => look,
    });
    const to = account('to');
    for (let offset = 3; offset < 10; offset++) await send(limits, to, 'from', offset);
    await expect(send(limits, to, 'from', 10)).rejects.toMatchObject({ code: 'MAILBOX_FULL' });
  });

  it('is about 64 senders at most, and those who send much are among them', async () => {
    const { limits } = open();
    const to = account('to');
    let mailbox: MailboxEstimate | undefined;
    let offset = 0;
    for (let i = 0; i < 5_000; i++) {
      await send(limits, to, 'flood', offset++);
      mailbox = await send(limits, to, `passer-by-${i}`, offset++);
    }
    expect(mailbox?.bySender.size).toBeLessThanOrEqual(64);
    const counted = mailbox?.bySender.get('flood') ?? 0;
    expect(counted).toBeLessThanOrEqual(5_000);
    expect(counted).toBeGreaterThanOrEqual(5_000 - offset / 64);
  });

  it('is kept while the inbox is used, however many others are, and forgotten some time after', async () => {
    const { limits, looks } = open();
    const used = account('used');
    await send(limits, used, 'from', 0);
    await send(limits, account('once'), 'from', 0);
    // Twice as many as are noted, or more.
    for (let i = 0; i < sized(60_000, 120_000); i++) {
      await send(limits, account(`other-${i}`), 'from', 0);
      if (i % 10_000 === 0) await send(limits, used, 'from', 1 + i / 10_000);
    }
    expect(looks.filter((name) => name === 'used')).toHaveLength(1);
    await send(limits, account('once'), 'from', 1);
    expect(looks.filter((name) => name === 'once')).toHaveLength(2);
  });
});
