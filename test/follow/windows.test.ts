/* Windows on topics, as far as they need no Kafka: how much they show, what is committed of them, what their record says. */
import { describe, expect, it } from 'vitest';
import type { Room } from '../../src/core/rooms.ts';
import { placeOf, seqOf } from '../../src/core/windows.ts';
import { encodeRoom, packRoom, unpackRoom } from '../../src/storage/kafka/rooms/room-record.ts';
import { FloodLimit } from '../../src/storage/kafka/windows/flood-limit.ts';
import {
  decodeWindows,
  encodeWindows,
  positionIn,
  windowKey,
} from '../../src/storage/kafka/windows/window-position.ts';
import { newUuid } from '../../src/util/uuid.ts';

const TOPIC_ID = '01234567-89ab-4def-8123-456789abcdef';

describe('a flood', () => {
  it('is as much as the clock allows, of what has just come', () => {
    let at = 1_000_000;
    const limit = new FloodLimit(10, () => at);
    const shown = () => Array.from({ length: 50 }, () => limit.admits()).filter(Boolean).length;
    expect(shown()).toBe(10);
    expect(shown()).toBe(0);
    at += 300;
    expect(shown()).toBe(3);
    at += 60_000;
    expect(shown()).toBe(10);
    // Whatever sets the clock back gives nothing.
    at -= 60_000;
    expect(shown()).toBe(0);
  });

  it('is as much as their own times allow, of what was there before, but not more for times that are still to come', () => {
    const at = 1_000_000;
    const shown = (times: readonly number[]) => {
      const limit = new FloodLimit(10, () => at);
      return times.filter((time) => limit.admits(time)).length;
    };
    expect(shown(Array.from({ length: 500 }, (_, n) => at - 500_000 + n * 1_000))).toBe(500);
    expect(shown(Array.from({ length: 500 }, () => at - 500_000))).toBe(10);
    expect(shown(Array.from({ length: 500 }, (_, n) => at + n * 1_000))).toBe(10);
    expect(shown(Array.from({ length: 500 }, (_, n) => at - n * 1_000))).toBe(10);
  });
});

describe('what is committed of windows on one topic', () => {
  const [one, other] = [{ incarnation: newUuid() }, { incarnation: newUuid() }];

  it('is the place of the one furthest back, and where each of them is', () => {
    const windows = new Map([
      [windowKey(one, 1_767_225_600_000), 1_042],
      [windowKey(other, 5), 7],
    ]);
    const commit = encodeWindows(windows, TOPIC_ID);
    expect(commit.offset).toBe(7);
    expect(decodeWindows(commit, TOPIC_ID)).toEqual(windows);
    expect([positionIn(commit, one), positionIn(commit, other)]).toEqual([1_042, 7]);
    expect(positionIn(commit, { incarnation: newUuid() })).toBe(0);
    // The name is another topic's by now.
    expect(decodeWindows(commit, TOPIC_ID.replace('0', 'f')).size).toBe(0);
  });

  it('is no more than Kafka takes, and nothing that anybody else has committed', () => {
    const many = new Map(
      Array.from({ length: 300 }, (_, n) => [windowKey({ incarnation: newUuid() }, n), n]),
    );
    const commit = encodeWindows(many, TOPIC_ID);
    expect(commit.metadata.length).toBeLessThanOrEqual(4_096);
    expect(decodeWindows(commit, TOPIC_ID).size).toBeGreaterThan(80);
    for (const metadata of ['', 'x', `w1 ${TOPIC_ID} `, `w1 ${TOPIC_ID} ,,:`, `w2 ${TOPIC_ID} x:1`])
      expect(decodeWindows({ offset: 3, epoch: -1, metadata }, TOPIC_ID).size).toBe(0);
  });
});

it('a record is named by one number, and found by it', () => {
  for (const place of [
    { partition: 0, offset: 0 },
    { partition: 1_023, offset: 2 ** 43 - 1 },
  ]) {
    expect(Number.isSafeInteger(seqOf(place))).toBe(true);
    expect(placeOf(seqOf(place))).toEqual(place);
  }
});

it('a room that shows a topic is none to who knows of no such rooms', () => {
  const room: Room = {
    ...{ name: '#dlq', incarnation: newUuid(), topicId: TOPIC_ID, policy: 'invited', description: 'é' },
    owner: { name: 'anna', incarnation: newUuid() },
    ...{ retentionMs: 60_000, history: 0, createdAt: 1 },
    window: { topic: 'orders.dlq', where: 'value.n > 1', as: null },
  };
  const packed = packRoom('dlq', encodeRoom(room));
  expect(packed && unpackRoom('dlq', packed)).toEqual(room);
  // Those demand a policy beside the owner.
  expect(JSON.parse(encodeRoom(room).toString())).not.toHaveProperty('policy');
  const { window: _window, ...plain } = room;
  expect(JSON.parse(encodeRoom(plain).toString())).toMatchObject({ policy: 'invited' });
});
