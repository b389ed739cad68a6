import { crc32 } from '@elanus/kernel';
import type { StoredFile } from '@elanus/model';
import type { ObjectStore } from '@elanus/object-store';
import type { SegmentFileContent } from '@elanus/segment';
import type { FileEncoder, PageCache } from './file-encoder.ts';

/**
 * Writes a file of rows or deletions, whole or not at all; it is durable when this resolves. What is there under the key
 * already, of a try that was not heard of, is replaced by the same bytes.
 * @throws what the store throws; the signal's reason
 */
export async function writeSegmentFile(
  content: SegmentFileContent,
  {
    key,
    store,
    encoder,
    signal,
    cache = 'kept',
  }: {
    readonly key: string;
    readonly store: ObjectStore;
    readonly encoder: FileEncoder;
    readonly signal: AbortSignal;
    /** Of files of this machine. */
    readonly cache?: PageCache;
  },
): Promise<StoredFile> {
  if (store.files !== null) {
    const draft = store.files.newDraft();
    const written = await encoder.write?.(content, draft, { cache, signal });
    if (written != null) {
      await store.files.adopt(key, draft);
      return { key, ...written };
    }
  }
  let bytes = 0;
  let sum = 0;
  async function* summed(): AsyncGenerator<Uint8Array> {
    for await (const piece of encoder.encode(content, signal)) {
      bytes += piece.length;
      sum = crc32(piece, sum);
      yield piece;
    }
  }
  await store.put(key, summed(), { signal });
  return { key, bytes, crc32: sum };
}
