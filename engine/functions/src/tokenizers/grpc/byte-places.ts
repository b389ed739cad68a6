import type { Work } from '../../work.ts';

/** Units that are looked at between two yields. */
const SLICE_UNITS = 65_536;
/** Of a byte inside of a character. */
const NO_UNIT = -1;

/** Says which UTF-16 unit of `text`, which is well-formed, begins at a byte of its UTF-8; `null` where none does. */
export function* bytePlaces(text: string): Work<(byte: number) => number | null> {
  const bytes = Buffer.byteLength(text);
  if (bytes === text.length) return (byte) => (byte >= 0 && byte <= bytes ? byte : null);
  const units = new Int32Array(bytes + 1).fill(NO_UNIT);
  let byte = 0;
  for (let unit = 0; unit < text.length; ) {
    const code = text.codePointAt(unit)!;
    units[byte] = unit;
    byte += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
    unit += code < 0x1_0000 ? 1 : 2;
    if (unit % SLICE_UNITS <= 1) yield;
  }
  units[bytes] = text.length;
  return (wanted) => {
    const unit = units[wanted] ?? NO_UNIT;
    return unit === NO_UNIT ? null : unit;
  };
}
