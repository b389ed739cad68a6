/**
 * Sets bits `at .. at + count` of `target`, which are 0, to bits `from .. from + count` of `source`; `null`: to 1.
 * `from` is a multiple of 8. Bit 0 is the least significant of byte 0.
 */
export function copyBits(
  target: Uint8Array,
  at: number,
  source: Uint8Array | null,
  from: number,
  count: number,
): void {
  const shift = at & 7;
  const whole = count >> 3;
  const first = from >> 3;
  const start = at >> 3;
  if (shift === 0) {
    if (source === null) target.fill(0xff, start, start + whole);
    else target.set(source.subarray(first, first + whole), start);
  } else {
    for (let i = 0; i < whole; i++) {
      const byte = source === null ? 0xff : source[first + i]!;
      target[start + i]! |= byte << shift;
      target[start + i + 1]! |= byte >> (8 - shift);
    }
  }
  const rest = count & 7;
  if (rest === 0) return;
  const byte = (source === null ? 0xff : source[first + whole]!) & ((1 << rest) - 1);
  target[start + whole]! |= byte << shift;
  if (shift + rest > 8) target[start + whole + 1]! |= byte >> (8 - shift);
}

/** Clears the bits of `target` that `other`, which is as long, does not have. */
export function intersectBits(target: Uint8Array, other: Uint8Array): void {
  for (let at = 0; at < target.length; at++) target[at]! &= other[at]!;
}
