/** The same stream, but for what is written: that is changed first. Whoever waits for a write hears of it, also where nothing is left of it. */
export function gateOf(out: NodeJS.WriteStream, change: (bytes: string) => string): NodeJS.WriteStream {
  const write = (...args: readonly unknown[]): boolean => {
    const done = args.find((value) => typeof value === 'function');
    return out.write(change(String(args[0])), () => done?.());
  };
  return new Proxy(out, {
    get: (stream, key) => {
      if (key === 'write') return write;
      const value: unknown = Reflect.get(stream, key, stream);
      return typeof value === 'function' ? value.bind(stream) : value;
    },
  });
}
