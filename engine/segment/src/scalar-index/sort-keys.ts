/** Digits of 11 bits: their counters stay in the first-level cache. */
const DIGITS: readonly (readonly [shift: number, mask: number])[] = [
  [0, 0x7ff],
  [11, 0x7ff],
  [22, 0x3ff],
];
const BUCKETS = 2_048;

/** Unsigned keys of 32 or 64 bits, each with the row that has it. */
export interface KeyedRows {
  readonly low: Uint32Array;
  /** `null` when keys have 32 bits. */
  readonly high: Uint32Array | null;
  readonly rows: Uint32Array;
}

/**
 * The same pairs in ascending order of their keys; equal keys keep the order of their pairs. Takes the arrays over: their
 * contents are undefined afterwards. About 5 ns a pair and digit; digits that all keys share cost next to nothing.
 */
export function sortKeyedRows({ low, high, rows }: KeyedRows): KeyedRows {
  let from: KeyedRows = { low, high, rows };
  let to: KeyedRows | null = null;
  for (const half of high === null ? (['low'] as const) : (['low', 'high'] as const))
    for (const [shift, mask] of DIGITS) {
      const starts = startsOfDigit(from[half]!, shift, mask);
      if (starts === null) continue;
      to ??= emptyLike(from);
      scatter(from, to, starts, half, shift, mask);
      [from, to] = [to, from];
    }
  return from;
}

/** Where the pairs with each digit begin; `null` when all have the same. */
function startsOfDigit(keys: Uint32Array, shift: number, mask: number): Uint32Array | null {
  const starts = new Uint32Array(BUCKETS);
  for (let i = 0; i < keys.length; i++) starts[(keys[i]! >>> shift) & mask]! += 1;
  if (keys.length === 0 || starts[(keys[0]! >>> shift) & mask] === keys.length) return null;
  for (let bucket = 0, sum = 0; bucket < BUCKETS; bucket++) {
    const count = starts[bucket]!;
    starts[bucket] = sum;
    sum += count;
  }
  return starts;
}

function scatter(
  from: KeyedRows,
  to: KeyedRows,
  starts: Uint32Array,
  half: 'low' | 'high',
  shift: number,
  mask: number,
): void {
  const digits = from[half]!;
  const { low, high, rows } = from;
  for (let i = 0; i < rows.length; i++) {
    const at = starts[(digits[i]! >>> shift) & mask]!++;
    to.low[at] = low[i]!;
    to.rows[at] = rows[i]!;
    if (high !== null) to.high![at] = high[i]!;
  }
}

function emptyLike({ low, high, rows }: KeyedRows): KeyedRows {
  return {
    low: new Uint32Array(low.length),
    high: high === null ? null : new Uint32Array(high.length),
    rows: new Uint32Array(rows.length),
  };
}
