/** The first place in `from .. to` of ascending numbers that holds at least `value`, `to` when none does. */
export function firstAtLeast(numbers: Uint32Array, value: number, from = 0, to = numbers.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
