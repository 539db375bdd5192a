/* The client, which starts often and for short: what a command needs is in few files. */
import { isBuiltin } from 'node:module';
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

/**
 * Who imports from a module of Node's gets all of it set up, whatever is loaded for that: `node:fs` brings its promises and
 * with them readline, `node:crypto` the web's crypto. As an object it has only what is asked for: 17 ms less of each start.
 */
const nodeAsObjects = {
  name: 'node-as-objects',
  renderChunk(code: string) {
    const bundled = code.replace(
      /^import ([^"{}]*)(?:\{([^}]*)\} )?from "([^"]+)";$/gm,
      (line, wholes: string, names: string | undefined, module: string) => {
        if (!isBuiltin(module)) return line;
        const objects = wholes.split(',').map((name) => name.replace('* as ', '').trim());
        if (names !== undefined) objects.push(`{${names.replaceAll(' as ', ': ')}}`);
        return objects
          .filter((name) => name !== '')
          .map((name) => `const ${name} = globalThis.process.getBuiltinModule("${module}");`)
          .join(' ');
      },
    );
    const left = /^import .*"node:.*/m.exec(bundled);
    if (left !== null) throw new Error(`rolldown imports otherwise now: ${left[0]}`);
    return bundled;
  },
};

/** What only few commands need, though several do. */
const SOME = 'config/|terminal/cli/(?:help|doctor)';
/** The history itself, and not what commands without one have of it: where its file lies. */
const HISTORY = 'terminal/history/(?!errors|files|types)';

export default defineConfig({
  plugins: [lazyEmoji, nodeAsObjects],
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
        { name: 'first', test: /\/src\/terminal\/cli\/command-place\.ts$/, priority: 2 },
        { name: 'shared', test: new RegExp(`/src/(?!${SOME}|${HISTORY})`), minShareCount: 3, priority: 1 },
        // SQLite is for those who keep something.
        { name: 'history', test: new RegExp(`/src/${HISTORY}`) },
      ],
    },
  },
});
