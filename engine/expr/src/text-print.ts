/** A byte that equal texts have in common, and different ones mostly not. Of `bytes[start .. end)`. */
export function printOfText(bytes: Uint8Array, start: number, end: number): number {
  let mixed = end - start;
  for (let at = start; at < end; at++) mixed = Math.imul(mixed ^ bytes[at]!, 0x9e3779b1);
  return mixed >>> 24;
}
