/**
 * How many times as long work takes for so many times as much: about `times` where it is linear, 1 where it is bounded, `times`
 * squared where it is quadratic. The fastest of several runs each, so that a machine with other work tells no other story.
 */
export function growth(work: (size: number) => void, size: number, times: number): number {
  const [few, many] = [fastest(() => work(size)), fastest(() => work(size * times))];
  return many / few;
}

function fastest(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 7; run += 1) {
    const began = performance.now();
    work();
    best = Math.min(best, performance.now() - began);
  }
  return best;
}
