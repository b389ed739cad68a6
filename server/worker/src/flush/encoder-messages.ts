import type { SegmentFileContent } from '@elanus/segment';

/** What the thread is told: to begin a file, to go on with it, or to leave it. */
export type EncoderRequest =
  | { readonly kind: 'begin'; readonly content: SegmentFileContent }
  | { readonly kind: 'next' }
  | { readonly kind: 'leave' };

/** What it answers to each of them: bytes that follow those before, or why there are none. */
export type EncoderReply =
  | { readonly kind: 'pieces'; readonly pieces: readonly Uint8Array[]; readonly isLast: boolean }
  | { readonly kind: 'failed'; readonly reason: string };
