import { type BloomSet, MBF1_MAGIC, readingBloomSet } from './bloom-set.ts';
import { FilterError } from './filter-error.ts';
import { MRB1_MAGIC, type RoaringSet, readingRoaringSet } from './roaring-set.ts';
import type { Work } from './work.ts';

/**
 * A set of values that a client has built and packed, for `membership_match`. Plain data over shared memory: threads get it
 * without a copy.
 */
export type MemberSet = BloomSet | RoaringSet;

/** Of the names that sets have in filters. */
export type MemberSetKind = MemberSet['kind'];

/** Reads a packed set of either kind, in slices. @throws FilterError for bytes that are none */
export function* readingMemberSet(blob: Uint8Array): Work<MemberSet> {
  if (blob.length < MBF1_MAGIC.length)
    throw new FilterError(
      `membership filter blob is ${blob.length} bytes, too short to carry a format header`,
      'fill',
    );
  // One byte a character: whatever stands there is compared, and never shown.
  const magic = Buffer.from(blob.subarray(0, MBF1_MAGIC.length)).toString('latin1');
  if (magic === MBF1_MAGIC) return yield* readingBloomSet(blob);
  if (magic === MRB1_MAGIC) return yield* readingRoaringSet(blob);
  throw new FilterError(
    'membership filter blob has unknown format magic; supported formats are' +
      ` "${MBF1_MAGIC}" (bloom) and "${MRB1_MAGIC}" (roaring)`,
    'fill',
  );
}
