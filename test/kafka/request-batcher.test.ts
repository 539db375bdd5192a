import { describe, expect, it } from 'vitest';
import { RequestBatcher } from '../../src/util/request-batcher.ts';

/** A far end that answers when told to, and writes down what each request asked. */
function farEnd(most = 10) {
  const requests: string[][] = [];
  const open: ((answers: (string | Error)[] | Error) => void)[] = [];
  const batcher = new RequestBatcher<string, string>(most, (questions) => {
    requests.push([...questions]);
    return new Promise((resolve, reject) =>
      open.push((answers) => (answers instanceof Error ? reject(answers) : resolve(answers))),
    );
  });
  const answer = async (answers?: (string | Error)[] | Error) => {
    await turn();
    const request = requests.at(-open.length) ?? [];
    open.shift()?.(answers ?? request.map((question) => question.toUpperCase()));
    await turn();
  };
  return { batcher, requests, answer };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a batcher', () => {
  it('asks at once, and gathers what comes meanwhile into the next request', async () => {
    const { batcher, requests, answer } = farEnd();
    const first = batcher.ask('a');
    await turn();
    const rest = ['b', 'c'].map((question) => batcher.ask(question));
    await turn();
    expect(requests).toEqual([['a']]);
    await answer();
    expect(await first).toBe('A');
    expect(requests).toEqual([['a'], ['b', 'c']]);
    await answer();
    expect(await Promise.all(rest)).toEqual(['B', 'C']);
  });

  it('takes along who asks in the same breath, and no more than a request may hold', async () => {
    const { batcher, requests, answer } = farEnd(2);
    const all = ['a', 'b', 'c'].map((question) => batcher.ask(question));
    await answer();
    await answer();
    expect(await Promise.all(all)).toEqual(['A', 'B', 'C']);
    expect(requests).toEqual([['a', 'b'], ['c']]);
  });

  it('lets one question fail alone, and goes on', async () => {
    const { batcher, answer } = farEnd();
    const all = Promise.allSettled(['a', 'b', 'c'].map((question) => batcher.ask(question)));
    await answer(['A', new Error('not b')]);
    expect((await all).map((result) => ('reason' in result ? String(result.reason) : result.value))).toEqual([
      'A',
      'Error: not b',
      'Error: no answer',
    ]);
    const next = batcher.ask('d');
    await answer();
    expect(await next).toBe('D');
  });

  it('fails all of a request that failed, and none of the next', async () => {
    const { batcher, answer } = farEnd();
    const failed = Promise.allSettled([batcher.ask('a'), batcher.ask('b')]);
    await turn();
    const next = batcher.ask('c');
    await answer(new Error('gone'));
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await answer();
    expect(await next).toBe('C');
  });
});
