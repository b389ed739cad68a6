/** Code points of a bound: enough to tell most texts apart. */
const BOUND_POINTS_MAX = 16;
const SURROGATES = { first: 0xd800, behind: 0xe000 } as const;
const LAST_POINT = 0x10ffff;

/** A text of at most 16 code points that is not above `text`, in the order of UTF-8. */
export function lowerBound(text: string): string {
  return [...text].slice(0, BOUND_POINTS_MAX).join('');
}

/** A text of at most 16 code points that is not below `text`, in the order of UTF-8; `null` when there is none. */
export function upperBound(text: string): string | null {
  const points = [...text];
  if (points.length <= BOUND_POINTS_MAX) return text;
  for (let length = BOUND_POINTS_MAX; length > 0; length--) {
    const last = points[length - 1]!.codePointAt(0)!;
    if (last === LAST_POINT) continue;
    const next = last + 1 === SURROGATES.first ? SURROGATES.behind : last + 1;
    return points.slice(0, length - 1).join('') + String.fromCodePoint(next);
  }
  return null;
}
