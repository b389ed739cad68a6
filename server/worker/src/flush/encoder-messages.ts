import type { DiskErrorKind } from '@elanus/runtime';
import type { SegmentFileContent } from '@elanus/segment';
import type { PageCache } from './file-encoder.ts';

/** What the thread is told: to begin a file, to go on with it, or to leave it; or to write one itself. */
export type EncoderRequest =
  | { readonly kind: 'begin'; readonly content: SegmentFileContent }
  | { readonly kind: 'next' }
  | { readonly kind: 'leave' }
  | WriteFile;

export interface WriteFile {
  readonly kind: 'write';
  readonly content: SegmentFileContent;
  readonly path: string;
  readonly cache: PageCache;
}

/** What it answers to each of them, in their order: bytes that follow those before, what was written, or why there is none. */
export type EncoderReply =
  | { readonly kind: 'pieces'; readonly pieces: readonly Uint8Array[]; readonly isLast: boolean }
  | { readonly kind: 'written'; readonly bytes: number; readonly crc32: number }
  | {
      readonly kind: 'disk failed';
      readonly disk: DiskErrorKind;
      readonly path: string;
      readonly reason: string;
    }
  | { readonly kind: 'failed'; readonly reason: string };
