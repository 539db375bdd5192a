import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Doubt } from '../../src/storage/kafka/groups/doubt.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';

const LATE_MS = 1_200;

function started(): Doubt {
  const doubt = new Doubt();
  doubt.start();
  onTestFinished(() => doubt.stop());
  return doubt;
}

/** Nothing of this process goes on meanwhile. */
function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LATE_MS);
}

describe('what Kafka has said', () => {
  it('is believed for as long as turns come in time', async () => {
    const doubt = started();
    const askedAt = now();
    doubt.asked();
    doubt.answered();
    await sleep(LATE_MS);
    expect(doubt.covers(askedAt)).toBe(false);
  });

  it('is in doubt after a late turn, even before any timer has fired, unless it was asked for after that', () => {
    const doubt = started();
    const askedAt = now();
    standStill();
    expect(doubt.covers(askedAt)).toBe(true);
    expect(doubt.covers(now() + 1)).toBe(false);
  });

  it('is in doubt after a late turn that nobody has looked at in time', async () => {
    const doubt = started();
    const askedAt = now();
    standStill();
    await sleep(2 * 250);
    expect(doubt.covers(askedAt)).toBe(true);
    expect(doubt.covers(now())).toBe(false);
  });

  it('is in doubt while Kafka is silent, whenever it was asked for, and afterwards if it was before that', async () => {
    const doubt = started();
    const askedAt = now();
    doubt.asked();
    expect(doubt.isGoingOn).toBe(false);
    await sleep(LATE_MS);
    doubt.asked();
    expect(doubt.isGoingOn).toBe(true);
    expect(doubt.covers(now())).toBe(true);
    doubt.answered();
    expect(doubt.isGoingOn).toBe(false);
    expect(doubt.covers(askedAt)).toBe(true);
    expect(doubt.covers(now() + 1)).toBe(false);
  });
});
