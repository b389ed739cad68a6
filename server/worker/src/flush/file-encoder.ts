import type { LoopShare } from '@elanus/runtime';
import { encodeSegmentFile, type SegmentFileContent } from '@elanus/segment';

/** Makes the bytes of segment files. */
export interface FileEncoder {
  /** As `encodeSegmentFile`. Nothing in `content` changes until the last piece is there or the reader has left. */
  encode(content: SegmentFileContent, signal: AbortSignal): AsyncIterable<Uint8Array>;
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
