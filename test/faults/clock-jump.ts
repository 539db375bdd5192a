/** Loaded in front of a frontend: on each SIGUSR2 its wall clock jumps, an hour ahead, two hours back, and then right again. */
const JUMPS_MS = [3_600_000, -3_600_000, 0];

const RealDate = Date;
let offsetMs = 0;
let jumps = 0;

process.on('SIGUSR2', () => {
  offsetMs = JUMPS_MS[jumps++ % JUMPS_MS.length] ?? 0;
});

const now = (): number => RealDate.now() + offsetMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: unknown[]) => Reflect.construct(target, args.length === 0 ? [now()] : args),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
