import { NPY_HEADER, NPY_MAGIC } from './npy-format.ts';

/** The header of a .npy file whose data follow: `descr` as NumPy writes types, `shape` its dimensions. */
export function npyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const headerAt = NPY_HEADER.lengthAt + 2;
  const length =
    Math.ceil((headerAt + text.length + 1) / NPY_HEADER.alignment) * NPY_HEADER.alignment - headerAt;
  const bytes = new Uint8Array(headerAt + length);
  bytes.set(NPY_MAGIC);
  bytes[NPY_HEADER.versionAt] = 1;
  new DataView(bytes.buffer).setUint16(NPY_HEADER.lengthAt, length, true);
  bytes.set(Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1'), headerAt);
  return bytes;
}

/** Texts of `width` characters each, filled up with zeros: the data of type `<U<width>`. */
export function fixedTexts(texts: readonly string[], width: number): Uint8Array {
  const points = new Uint32Array(texts.length * width);
  for (const [row, text] of texts.entries()) {
    let at = row * width;
    for (const character of text) points[at++] = character.codePointAt(0)!;
  }
  return new Uint8Array(points.buffer);
}
