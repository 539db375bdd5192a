/** Offsets first..last, both included. */
export interface OffsetRange {
  readonly first: number;
  readonly last: number;
}
