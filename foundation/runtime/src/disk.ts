/** Bytes that outlive the process, injected so that a test can tear them, lose them and fill them up. */
export interface Disk {
  /**
   * Opens a file. `create` makes an empty one and empties one that exists; `read` and `write` need it to exist. `build`
   * is `create` for a large file that is written by `write` and synced at last, which is faster than writing durably;
   * `rebuild` is the same of one that exists, and keeps what it holds.
   */
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** Opens a file to add to its end: one that exists, or an empty one (`create`). */
  openAppender(path: string, mode: 'write' | 'create'): Promise<Appender>;
  /** Opens a file to read it from its front to its end, once. */
  openReader(path: string): Promise<SequentialReader>;
  /** What lies in a directory, sorted by name. */
  list(directory: string): Promise<readonly DirectoryEntry[]>;
  /** What is at `path`, how large it is and when it last changed. */
  stat(path: string): Promise<FileStatus>;
  /** Makes a directory and those above it; all of them are durable when it resolves. Idempotent. */
  createDirectory(path: string): Promise<void>;
  /** Replaces what is at `to`. Durable once the directories of both are synced. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a directory with all it holds. Idempotent. Durable once the directory above it is synced. */
  remove(path: string): Promise<void>;
  /** Resolves when the entries of the directory (not the files' bytes) are durable. */
  syncDirectory(path: string): Promise<void>;
}

export type OpenMode = 'read' | 'write' | 'create' | 'build' | 'rebuild';

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory';
}

export interface FileStatus {
  readonly kind: 'file' | 'directory';
  /** Of a directory it means nothing. */
  readonly sizeBytes: number;
  /** Unix milliseconds, by the clock of the machine that wrote. */
  readonly modifiedMs: number;
}

/** A file that is written at its end. Whoever opened it closes it (`await using` does). Calls must not overlap. */
export interface Appender extends AsyncDisposable {
  readonly path: string;
  /**
   * Writes all of `buffers`, one behind the other, from `position`; the file grows as needed. When it
   * resolves these bytes and the length are durable. When it rejects, any part of them may be in the
   * file, durable or not, and after an error of kind `failed` neither a read nor a later sync proves
   * that the file holds what the disk holds.
   *
   * Of an appender, what lies behind the last byte must be zeros or nothing, and more zeros may come there: it may
   * write the file's blocks whole, the first with what it held before.
   */
  writeDurably(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /** Cuts the file at `length` bytes, or lengthens it with zeros. Durable after `sync`. */
  truncate(length: number): Promise<void>;
  /** Resolves when everything written or cut before is durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** An open file, whose bytes stay where nothing is written to them. Calls on one file must not overlap, except for reads. */
export interface DiskFile extends Appender {
  size(): Promise<number>;
  /** Fills `target` from `position`; resolves to the bytes read, fewer only where the file ends. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** As `writeDurably`, but nothing of it is durable before `sync` resolves. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /**
   * Gives the room of these bytes, which lie inside of the file, back to the disk: they are zeros, for whoever reads or maps
   * the file, until they are written again.
   * @throws DiskError of kind `failed` where files have no holes; then nothing has changed
   */
  punch(position: number, length: number): Promise<void>;
}

/** A new file that is written once, from its front to its end. Whoever opened it closes it. Calls must not overlap. */
export interface FileBuilder extends AsyncDisposable {
  /** Writes bytes behind those before. Those in shared memory must not change until the file is finished or closed. */
  add(piece: Uint8Array): Promise<void>;
  /** Resolves when all of it is durable; to be called once, at last. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A file whose bytes are wanted one after the other: those that follow may be on their way before they are asked for. What
 * is written to the file meanwhile may be found or not. Whoever opened it closes it. Calls must not overlap.
 */
export interface SequentialReader extends Pick<DiskFile, 'path' | 'read' | 'close'>, AsyncDisposable {}

/**
 * - `full`: no room or quota left; the same call may work later.
 * - `missing`, `denied`: the path is not there, or may not be used.
 * - `failed`: the device, the file system or a limit of the process; see `writeDurably` for what is then known.
 */
export type DiskErrorKind = 'full' | 'missing' | 'denied' | 'failed';

/** What a disk could not do. Never the client's fault. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly kind: DiskErrorKind;
  readonly path: string;

  constructor(kind: DiskErrorKind, path: string, message: string, cause?: unknown) {
    super(`${message} (${path})`, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.path = path;
  }

  /** The same call may work later without anybody's repair of the machine, once room is made. */
  get retriable(): boolean {
    return this.kind === 'full';
  }
}
