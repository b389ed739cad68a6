import type { FileHandle } from 'node:fs/promises';
import { translated } from './disk-errors.ts';

/** What every open file of the machine can, however it is written. */
export abstract class NodeFile implements AsyncDisposable {
  readonly path: string;
  protected readonly handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  truncate(length: number): Promise<void> {
    return translated(this.path, () => this.handle.truncate(length));
  }

  sync(): Promise<void> {
    return translated(this.path, () => this.handle.sync());
  }

  close(): Promise<void> {
    return translated(this.path, () => this.handle.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
