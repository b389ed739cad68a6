import type { SegmentId } from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import { SEGMENT_FIELD, type SegmentFile, type SegmentFileContent } from '@elanus/segment';

/**
 * One file of deletions in the place of several: those of `files`, then those of `added`. Deletions of `gone` segments
 * are left behind where a whole file has no others.
 * @throws SegmentFileError; what the files' sources throw
 */
export async function mergeDeletions(
  files: readonly SegmentFile[],
  added: SegmentFileContent,
  { isGone, share }: { readonly isGone: (segment: SegmentId) => boolean; readonly share: LoopShare },
): Promise<SegmentFileContent> {
  const kept: SegmentFile[] = [];
  for (const file of files) {
    const segments = await file.column(SEGMENT_FIELD.id, { share });
    const ids = new Set((segments as { readonly values: BigInt64Array }).values);
    if ([...ids].some((id) => !isGone(id as SegmentId))) kept.push(file);
  }
  const columns = [];
  for (const { field, pieces } of added.columns) {
    const older = [];
    for (const file of kept) older.push(await file.column(field.id, { share }));
    columns.push({ field, pieces: [...older, ...pieces] });
  }
  const timestamps = [];
  for (const file of kept) timestamps.push(await file.timestamps({ share }));
  return { ...added, columns, timestamps: [...timestamps, ...added.timestamps] };
}
