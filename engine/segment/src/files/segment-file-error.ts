/**
 * A segment file that can't be used.
 * - `damaged`: a checksum or a length is not what was written.
 * - `newer`: written by another version of Elanus.
 * - `foreign`: no segment file.
 */
export class SegmentFileError extends Error {
  override readonly name = 'SegmentFileError';
  readonly kind: 'damaged' | 'newer' | 'foreign';

  constructor(kind: SegmentFileError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

export function damaged(message: string): SegmentFileError {
  return new SegmentFileError('damaged', `the segment file is damaged: ${message}`);
}
