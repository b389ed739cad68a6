/** A file, read where bytes are asked for. */
export interface ByteSource {
  readonly size: number;
  /**
   * `length` bytes from `offset` on, which are there; the caller owns them. They may be put into `into`, which has room for
   * them. @throws SourceError
   */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
}

/** The file is not what it should be; whoever has made it can mend it. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

/** The bytes could not be had: what a source throws that can fail. Nothing is wrong with the file. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

/** Bytes asked for at a time by those who read from front to back. */
export const PIECE_BYTES = 1024 * 1024;

/** All bytes, one piece after the other. */
export async function* pieces(source: ByteSource, from = 0): AsyncGenerator<Uint8Array> {
  for (let at = from; at < source.size; at += PIECE_BYTES)
    yield await source.read(at, Math.min(PIECE_BYTES, source.size - at));
}

/** Bytes in memory as a source. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    // `slice` of a Buffer would be a view.
    read: async (offset, length) => Uint8Array.from(bytes.subarray(offset, offset + length)),
  };
}
