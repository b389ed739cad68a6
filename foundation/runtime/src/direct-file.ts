import { BLOCK_BYTES } from './direct-areas.ts';
import { DiskError } from './disk.ts';
import { NodeFile } from './node-file.ts';

/** A file that is written past the page cache, in whole blocks from aligned memory. */
export abstract class DirectFile extends NodeFile {
  /** A write may end early (a disk about to be full): the rest is asked for until it errs or is done. */
  protected async writeBlocks(bytes: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, at + done);
      if (bytesWritten === 0 || bytesWritten % BLOCK_BYTES !== 0)
        throw new DiskError('full', this.path, 'the write took a part of the bytes');
      done += bytesWritten;
    }
  }
}
