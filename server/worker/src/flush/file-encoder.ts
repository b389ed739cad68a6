import type { LoopShare } from '@elanus/runtime';
import { encodeSegmentFile, type SegmentFileContent } from '@elanus/segment';

/** Makes the bytes of segment files. */
export interface FileEncoder {
  /** As `encodeSegmentFile`. Nothing in `content` changes until the last piece is there or the reader has left. */
  encode(content: SegmentFileContent, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Writes a file of this machine at `path`, where none is; it is durable and closed when this resolves. Left out, or `null`:
   * whoever wants the bytes asks for them. When it rejects nothing is left at the path.
   * @throws DiskError; the signal's reason
   */
  write?(
    content: SegmentFileContent,
    path: string,
    options: { readonly cache: PageCache; readonly signal: AbortSignal },
  ): Promise<WrittenFile> | null;
}

/** Whether a file's bytes stay in the system's memory for those who read it soon, or go past it. */
export type PageCache = 'kept' | 'passed';

export interface WrittenFile {
  readonly bytes: number;
  /** Of all its bytes. */
  readonly crc32: number;
}

/** Makes them on the event loop, a little at a time. */
export class LoopEncoder implements FileEncoder {
  readonly #share: LoopShare;

  constructor(share: LoopShare) {
    this.#share = share;
  }

  encode(content: SegmentFileContent, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return encodeSegmentFile(content, { share: this.#share, signal });
  }
}
