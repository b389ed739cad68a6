import type { CollectionId, SegmentId } from '@elanus/model';
import type { Catalog } from './catalog.ts';
import { checkpointKey, type FileRecordKind } from './catalog-keys.ts';
import { isFileRecordOf } from './file-records.ts';

/** A record about a file, or a checkpoint, that can't be read, by what its key says. */
export interface DamagedFileRecord {
  readonly key: string;
  readonly kind: FileRecordKind | 'checkpoint';
  readonly collectionId: CollectionId;
  /** Of a checkpoint that of the collection. */
  readonly id: SegmentId;
}

const FILE_RECORD_KEY = /^catalog\/(segment|delete-file|index-file|checkpoint)\/(\d{1,19})(?:\/(\d{1,19}))?$/;
const KINDS: Readonly<Record<string, DamagedFileRecord['kind']>> = {
  segment: 'segment',
  'delete-file': 'deleteFile',
  'index-file': 'indexFile',
  checkpoint: 'checkpoint',
};

/** Those that opening the catalog had to set aside. */
export function damagedFileRecords(catalog: Catalog): readonly DamagedFileRecord[] {
  return catalog
    .damage()
    .map(({ key }) => recordAt(key))
    .filter((record) => record !== null);
}

/**
 * Collections with files and no record that says up to when these hold their writes, although all other records about
 * the files can be read.
 */
export function collectionsWithoutCheckpoint(catalog: Catalog): readonly CollectionId[] {
  const isSound = (id: CollectionId) =>
    catalog.damage().every(({ key }) => key === checkpointKey(id) || !isFileRecordOf(id, key));
  return catalog
    .collections()
    .map(({ id }) => id)
    .filter((id) => {
      const { checkpoint, segments, deleteFiles } = catalog.files.of(id);
      return checkpoint === null && segments.length + deleteFiles.length > 0 && isSound(id);
    });
}

/** `null` for the key of any other record. */
function recordAt(key: string): DamagedFileRecord | null {
  const match = FILE_RECORD_KEY.exec(key);
  const kind = KINDS[match?.[1] ?? ''];
  if (match === null || kind === undefined) return null;
  const collectionId = BigInt(match[2]!) as CollectionId;
  return { key, kind, collectionId, id: BigInt(match[3] ?? match[2]!) as SegmentId };
}
