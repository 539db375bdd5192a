/** Exit codes of the tools, from sysexits.h. */
export const TOOL_EXIT = {
  FAILED: 1,
  /** Wrong usage. */
  USAGE: 64,
  /** The inbox of a user who does not exist (EX_NOUSER). */
  NO_USER: 67,
  /** Kafka, or what else is needed, does not answer. */
  UNAVAILABLE: 69,
  /** A setting that cannot be used, or that does not fit the Kafka that is there. */
  CONFIG: 78,
} as const;

/** Ends a tool with a sentence for the person and an exit code. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  readonly code: number;

  constructor(code: number, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Runs a tool's main function. What it returns is the exit code; a ToolError is told in its own words, anything else as
 * what it is.
 */
export async function runTool(main: () => Promise<number>): Promise<void> {
  // A reader that had enough (`| head`) is no failure of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  try {
    process.exitCode = await main();
  } catch (error) {
    if (error instanceof ToolError) console.error(error.message);
    else console.error(error);
    process.exitCode = error instanceof ToolError ? error.code : TOOL_EXIT.FAILED;
  }
}
