/* What `npm run docs:api` runs: pages of all that is public. TypeDoc cannot use the TypeScript that the project is checked with. */
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (name, context, next) => next(name === 'typescript' ? 'typescript-for-docs' : name, context),
});
const { Application, TSConfigReader, TypeDocReader } = await import('typedoc');
const app = await Application.bootstrapWithPlugins({}, [new TypeDocReader(), new TSConfigReader()]);
const project = await app.convert();
if (project !== undefined) await app.generateOutputs(project);
process.exitCode = project === undefined || app.logger.hasErrors() ? 1 : 0;
