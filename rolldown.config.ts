/* The client, which starts often and for short: what a command needs is in few files. */
import { defineConfig } from 'rolldown';

/**
 * string-width has a pattern of all emoji there are, thousands of sequences, which V8 reads where the literal stands: 25 ms of
 * each start. It is made when the first character comes that may be one.
 */
const lazyEmoji = {
  name: 'lazy-emoji',
  transform: {
    filter: { id: /\/string-width\/index\.js$/ },
    handler(code: string) {
      const literal = /const emojiPrefixRegex = (\/\^.*\/v);/;
      if (!literal.test(code)) throw new Error('string-width has its pattern of emoji elsewhere now');
      return code.replace(
        literal,
        (_: string, pattern: string) => `let emojiPattern;
const emojiPrefixRegex = {
  test: (text) => (emojiPattern ??= ${pattern}).test(text),
  exec: (text) => (emojiPattern ??= ${pattern}).exec(text),
};`,
      );
    },
  },
};

export default defineConfig({
  plugins: [lazyEmoji],
  input: 'src/terminal/main.ts',
  platform: 'node',
  // What only the doctor needs stays in its packages; Ink asks for the last one where it is developed.
  external: ['kafkajs', '@platformatic/kafka', 'react-devtools-core'],
  // React has another version for those who develop with it, twice as long.
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  // The library's door names all of it: who comes for an address is not to load the rest.
  treeshake: { moduleSideEffects: [{ test: /\/src\/(client|protocol)\//, sideEffects: false }] },
  output: {
    dir: 'dist/bundle',
    // Without hashes: what was compiled of a file is kept by its name, and would stay for ever.
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    // Each file takes a command a millisecond: what most of them need is one. What the process begins with stays small.
    codeSplitting: {
      groups: [
        { name: 'first', test: /\/src\/terminal\/cli\/command-place\.ts$/, priority: 1 },
        { name: 'shared', test: /\/src\//, minShareCount: 6 },
      ],
    },
  },
});
