import { describe, expect, it } from 'vitest';
import { openLog } from '../../src/server/log.ts';
import { eventually } from '../contracts/cluster.ts';

interface Line {
  readonly msg: string;
  readonly level: number;
  readonly n?: number;
  readonly more?: number;
}

function collected() {
  const lines: Line[] = [];
  const log = openLog({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const of = (msg: string) => lines.filter((line) => line.msg === msg);
  return { lines, log, of };
}

describe('the log', () => {
  it('writes the first lines of a kind, counts the others, and says how many there were', async () => {
    const { lines, log, of } = collected();
    for (let n = 0; n < 10_000; n++) log.warn({ n }, 'too many connections');
    log.info('another kind');
    expect(of('too many connections').map(({ n }) => n)).toEqual([0, 1]);
    expect(of('another kind')).toHaveLength(1);
    await eventually(() => {
      expect(of('too many connections: more of these')).toMatchObject([{ more: 9_998, level: 40 }]);
    });
    // And begins anew.
    log.warn({ n: 7 }, 'too many connections');
    expect(of('too many connections').map(({ n }) => n)).toEqual([0, 1, 7]);
    expect(lines.length).toBeLessThan(10);
  });

  it('counts the lines of children and of errors alike', () => {
    const { log, of } = collected();
    for (let n = 0; n < 100; n++) log.child({ peer: n }).error({ err: new Error('x') }, 'a request failed');
    expect(of('a request failed')).toHaveLength(2);
  });

  it('always writes what is fatal, and what has a bound of its own', () => {
    const { log, of } = collected();
    for (let n = 0; n < 10; n++) {
      log.fatal('the end');
      log.info({ audit: 'login', n }, 'login');
    }
    expect(of('the end')).toHaveLength(10);
    expect(of('login')).toHaveLength(10);
  });

  it('holds a bounded number of kinds', async () => {
    const { lines, log, of } = collected();
    for (let n = 0; n < 5_000; n++) log.info(`kind ${n}`);
    expect(lines.length).toBeLessThan(300);
    // And those beyond are counted, and counted anew.
    await eventually(() => expect(of('other lines: more of these')).toMatchObject([{ more: 4_798 }]));
    log.info('one more');
    expect(of('one more')).toHaveLength(1);
  });
});
