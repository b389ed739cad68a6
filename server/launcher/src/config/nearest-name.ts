/**
 * The one of `names` that `name` was most likely meant to be: the fewest letters inserted, dropped, changed or
 * swapped, case aside. `undefined` when all are further away than `distanceMax`, which is a third of its length.
 */
export function nearestName(
  name: string,
  names: Iterable<string>,
  distanceMax = Math.max(1, Math.floor(name.length / 3)),
): string | undefined {
  let nearest: string | undefined;
  let distanceMin = distanceMax + 1;
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) >= distanceMin) continue;
    const distance = nameDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < distanceMin) {
      nearest = candidate;
      distanceMin = distance;
    }
  }
  return nearest;
}

function nameDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const changed = previous[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1);
      let distance = Math.min(changed, previous[column]! + 1, current[column - 1]! + 1);
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped && row > 1 && column > 1) distance = Math.min(distance, beforePrevious[column - 2]! + 1);
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length]!;
}
