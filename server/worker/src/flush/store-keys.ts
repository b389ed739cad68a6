import type { Shard, ShardCut } from '@elanus/segment';
import type { ApplyQueue } from '../apply-queue.ts';

/**
 * Lets the key indexes go of rows that are in published files now: from now on the files answer for their keys. Some rows at a
 * time, so that writes wait no longer than that.
 */
export async function storeKeys(
  queue: ApplyQueue,
  parts: readonly { readonly shard: Shard; readonly cut: ShardCut }[],
): Promise<void> {
  for (const { shard, cut } of parts) {
    const chunks = await queue.push(null, async () => {
      const files = new Map(shard.files.map((file) => [file.info.id, file]));
      const written = cut.segments.flatMap((rows) => {
        const file = files.get(rows.id);
        return file === undefined ? [] : shard.stored.storeKeys(file, rows);
      });
      const adopted = cut.adopted.flatMap(({ id }) => {
        const file = files.get(id);
        return file === undefined ? [] : shard.stored.storeAdoptedKeys(file);
      });
      return [...written, ...adopted];
    });
    for (const chunk of chunks) await queue.push(null, () => shard.stored.unlinkKeys(chunk));
  }
}
