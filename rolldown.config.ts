/* The client, which starts often and for short: what a command needs is in few files. */
import { defineConfig } from 'rolldown';

export default defineConfig({
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
  },
});
