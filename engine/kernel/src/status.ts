/** `ElanusStatus` of the C header, by its numbers. */
export const Status = {
  Ok: 0,
  Cancelled: 1,
  InvalidArgument: 2,
  OutOfMemory: 3,
  Overloaded: 4,
  CorruptInput: 5,
  IoFailed: 6,
  FileDamaged: 7,
  FileTooNew: 8,
} as const;

const TEXT_BY_STATUS: Readonly<Record<number, string>> = {
  [Status.InvalidArgument]: 'the request contradicts itself',
  [Status.OutOfMemory]: 'out of memory',
  [Status.Overloaded]: 'too many searches are waiting',
  [Status.CorruptInput]: 'the offsets of sparse vectors do not fit their bytes',
  [Status.IoFailed]: 'a file could not be read or written',
  [Status.FileDamaged]: 'a file is damaged',
  [Status.FileTooNew]: 'a file was written by a newer version',
};

/** A failure inside the kernel. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly status: number;
  /** The same call may succeed later. */
  readonly retriable: boolean;

  constructor(status: number) {
    super(`kernel: ${TEXT_BY_STATUS[status] ?? `status ${status}`}`);
    this.status = status;
    this.retriable = status === Status.Overloaded || status === Status.OutOfMemory;
  }
}
