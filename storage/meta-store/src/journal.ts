import { type Disk, DiskError, type DiskFile } from '@elanus/runtime';
import {
  decodeJournal,
  encodeFrame,
  encodeJournalHeader,
  type Frame,
  type JournalContent,
} from './journal-format.ts';

/** One of the two files that each hold the whole catalog. */
export class Journal implements AsyncDisposable {
  readonly path: string;
  readonly #disk: Disk;
  readonly #directory: string;
  #file: DiskFile | null = null;
  /** So many bytes are durable frames. */
  #end = 0;
  /** Bytes of the snapshot that it begins with. */
  #snapshotBytes = 0;

  constructor(disk: Disk, directory: string, name: string) {
    this.#disk = disk;
    this.#directory = directory;
    this.path = `${directory}/${name}`;
  }

  get bytes(): number {
    return this.#end;
  }

  get snapshotBytes(): number {
    return this.#snapshotBytes;
  }

  /** What the file holds; `null` when it is not there, or can't be read. */
  async read(): Promise<JournalContent | null> {
    try {
      await using file = await this.#disk.open(this.path, 'read');
      const bytes = Buffer.alloc(await file.size());
      return decodeJournal(bytes.subarray(0, await file.read(bytes, 0)));
    } catch (error) {
      if (error instanceof DiskError) return null;
      throw error;
    }
  }

  /** Goes on at the end of what `read` has found; what is torn behind it is cut off durably. */
  async continue({ end, frames, rest }: JournalContent): Promise<void> {
    this.#file = await this.#disk.open(this.path, 'write');
    this.#end = end;
    const [first] = frames;
    this.#snapshotBytes = first?.kind === 'snapshot' ? encodeFrame(first, 0).length : 0;
    if (rest !== 'none') await this.takeBack();
  }

  /**
   * Puts a file that begins with `snapshot` in the place of what is there, durably when it resolves. When it rejects, one
   * of them is there, whole.
   */
  async rewrite(snapshot: Frame): Promise<void> {
    const header = encodeJournalHeader();
    const frame = encodeFrame(snapshot, header.length);
    const fresh = await this.#disk.open(`${this.path}.new`, 'create');
    try {
      await fresh.writeDurably([header, frame], 0);
      await this.#disk.rename(fresh.path, this.path);
    } catch (error) {
      await fresh.close();
      throw error;
    }
    const before = this.#file;
    this.#file = fresh;
    this.#end = header.length + frame.length;
    this.#snapshotBytes = frame.length;
    await before?.close();
    await this.#disk.syncDirectory(this.#directory);
  }

  /**
   * Durable when it resolves; whoever calls then says whether the frames stay. Until that, and after a rejection, any part
   * may be there, and `takeBack` or `rewrite` gets rid of it.
   */
  async append(frames: readonly Frame[]): Promise<() => void> {
    if (this.#file === null) throw new DiskError('failed', this.path, 'the journal is not open');
    let end = this.#end;
    const buffers = frames.map((frame) => {
      const bytes = encodeFrame(frame, end);
      end += bytes.length;
      return bytes;
    });
    await this.#file.writeDurably(buffers, this.#end);
    return () => {
      this.#end = end;
    };
  }

  /** Cuts off what `append` may have left, durably. */
  async takeBack(): Promise<void> {
    if (this.#file === null) throw new DiskError('failed', this.path, 'the journal is not open');
    await this.#file.truncate(this.#end);
    await this.#file.sync();
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
