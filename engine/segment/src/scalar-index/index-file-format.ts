/** The numbers of `docs/formats/scalar-index.md`. */
export const SCALAR_INDEX_FILE = {
  magic: 'ELANUSSI',
  version: 1,
  /** Fixed fields in front: magic, version, checksum of the head, bytes of the description, bytes of the file. */
  versionAt: 8,
  checksumAt: 12,
  descriptionBytesAt: 16,
  lengthAt: 24,
  headBytes: 32,
  /** Arrays begin at multiples of this, so that they are used where they lie in a mapped file. */
  alignment: 64,
  /** No index has a description that long. */
  descriptionBytesMax: 1024 * 1024,
} as const;

export const LITTLE_ENDIAN = true;
