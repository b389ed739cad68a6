/** The upper halves of float32 values, rounded to the nearest, ties to even: little-endian, as vectors have them. */
export function bfloat16Of(floats: Float32Array): Uint8Array {
  const words = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const halves = new Uint16Array(floats.length);
  for (let at = 0; at < halves.length; at++) {
    const word = words[at]!;
    // The payload of a NaN must not be rounded into that of an infinity.
    const hasNoValue = (word & 0x7fff_ffff) > 0x7f80_0000;
    halves[at] = hasNoValue ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return new Uint8Array(halves.buffer);
}
