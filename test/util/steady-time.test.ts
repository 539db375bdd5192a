import { describe, expect, it } from 'vitest';
import { steadyTime } from '../../src/util/steady-time.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);

function machine() {
  const at = { wall: START, monotonic: 5_000, uptime: 90_000 };
  const time = steadyTime({ wall: () => at.wall, monotonic: () => at.monotonic, uptime: () => at.uptime });
  return {
    time,
    passes: (ms: number) => {
      at.wall += ms;
      at.monotonic += ms;
      // As coarse as some systems have it.
      at.uptime = Math.floor((at.uptime + ms) / 10) * 10;
    },
    isSet: (ms: number) => {
      at.wall += ms;
    },
    sleeps: (ms: number) => {
      at.wall += ms;
      at.uptime += ms;
    },
  };
}

describe('steady time', () => {
  it('begins by the wall clock, and passes', () => {
    const { time, passes } = machine();
    expect(time()).toBe(START);
    passes(HOUR);
    expect(time()).toBe(START + HOUR);
  });

  it('is moved by nobody who sets the clock, ahead or back, a little or much', () => {
    const { time, passes, isSet } = machine();
    for (const ms of [HOUR, -2 * HOUR, 400, -400, HOUR]) {
      isSet(ms);
      passes(10);
      time();
    }
    expect(time()).toBe(START + 50);
  });

  it('counts what the machine was suspended for, also where its clock was set meanwhile', () => {
    const { time, passes, isSet, sleeps } = machine();
    sleeps(HOUR);
    passes(10);
    expect(time()).toBe(START + HOUR + 10);
    isSet(-3 * HOUR);
    sleeps(2 * HOUR);
    expect(time()).toBe(START + 3 * HOUR + 10);
    isSet(HOUR);
    expect(time()).toBe(START + 3 * HOUR + 10);
  });

  it('is the time of this machine', () => {
    expect(Math.abs(steadyTime()() - Date.now())).toBeLessThan(1_000);
  });
});
