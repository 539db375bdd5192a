/** A histogram as it goes from process to process: [bucket, count] pairs. */
export interface HistogramData {
  readonly counts: readonly (readonly [bucket: number, count: number])[];
  readonly max: number;
  readonly sum: number;
}

/** Buckets of each power of two: a value is off by less than 1/64 of itself. */
const SUB_BITS = 6;
const SUB = 2 ** SUB_BITS;
/** Microseconds up to 2^36, which is 19 hours; what is longer counts as that. */
const TOP_BITS = 36;
const BUCKETS = (TOP_BITS - SUB_BITS + 1) * SUB;

/** Counts values in buckets that grow with the value (log-linear, as HDR histograms do): constant memory, exact sums. */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #max = 0;
  #sum = 0;

  get count(): number {
    return this.#total;
  }

  /** The largest value, exact; 0 when there is none. */
  get max(): number {
    return this.#max;
  }

  /** Exact; 0 when there is no value. */
  get mean(): number {
    return this.#total === 0 ? 0 : this.#sum / this.#total;
  }

  /** @param value microseconds; what is below zero counts as zero */
  record(value: number): void {
    const whole = value > 0 ? Math.min(Math.floor(value), 2 ** TOP_BITS - 1) : 0;
    const bucket = bucketOf(whole);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total++;
    this.#sum += whole;
    if (whole > this.#max) this.#max = whole;
  }

  /** The value that `share` (0 to 1) of all values are not above: the upper end of its bucket. */
  quantile(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.#total * share));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= wanted) return Math.min(upperEnd(bucket), this.#max);
    }
    return this.#max;
  }

  add(other: HistogramData): void {
    for (const [bucket, count] of other.counts) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
      this.#total += count;
    }
    this.#sum += other.sum;
    this.#max = Math.max(this.#max, other.max);
  }

  data(): HistogramData {
    const counts: [number, number][] = [];
    for (const [bucket, count] of this.#counts.entries()) if (count > 0) counts.push([bucket, count]);
    return { counts, max: this.#max, sum: this.#sum };
  }
}

function bucketOf(value: number): number {
  if (value < SUB) return value;
  const shift = Math.floor(Math.log2(value)) - SUB_BITS;
  return (shift + 1) * SUB + Math.floor(value / 2 ** shift) - SUB;
}

/** Largest whole number in the bucket. */
function upperEnd(bucket: number): number {
  if (bucket < SUB) return bucket;
  const shift = Math.floor(bucket / SUB) - 1;
  return ((bucket % SUB) + SUB + 1) * 2 ** shift - 1;
}
