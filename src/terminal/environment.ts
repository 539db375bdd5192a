/** Variables as a process has them: `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;
