/** The first of `0 .. length` that `isThere` holds for, as it does for all that follow; `length` when there is none. */
export function firstPlace(length: number, isThere: (place: number) => boolean): number {
  let from = 0;
  let to = length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (isThere(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
