/** Settings of this project that hold a secret themselves, and do not only say where it is. */
const SECRET = /^MILENA_(?:\w*PASSWORD|CLUSTER_KEYS)$/;

/** Whether an environment variable of this name, or a line of an `.env`, holds a secret. */
export function isSecret(name: string): boolean {
  return SECRET.test(name);
}

/** This process's environment for a program of somebody's own, which may log it or hand it on: without the secrets. */
export function childEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSecret(name)));
}
