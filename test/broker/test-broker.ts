/** A broker that belongs to one test run or one test, whatever it runs in. */
export interface TestBroker {
  readonly host: string;
  readonly port: number;
  /** Bootstrap address, `host:port`. */
  readonly brokers: string;
  /** Its settings, data and logs where they lie on this machine, else ''. */
  readonly folder: string;
  /** Starts it again with the data and the port it had; resolves when it answers. Nothing happens when it runs. */
  start(): Promise<void>;
  /** Ends it in an orderly way; `start` brings it back. */
  halt(): Promise<void>;
  /** Ends it as a power cut does (SIGKILL); `start` brings it back. */
  kill(): Promise<void>;
  /** Stops it without ending it, as a machine that hangs. */
  freeze(): Promise<void>;
  /** Lets it go on after `freeze`. */
  thaw(): Promise<void>;
  /** Ends it for good and removes its data. */
  stop(): Promise<void>;
  /** What it logged: the first thing to look at when a test of it fails. */
  log(): Promise<string>;
}
