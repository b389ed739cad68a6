import { basename } from 'node:path';
import type { ChannelName } from '@elanus/model';
import type { Disk, Logger } from '@elanus/runtime';
import type { FileDamage } from './file-damage.ts';
import type { LogDamage } from './message-log.ts';

/** Beyond this a copy is cut: a lost gigabyte is looked for in the file itself. */
const COPY_BYTES_MAX = 64 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Reports each damaged stretch once and copies its bytes aside, into `quarantine` beside the channel's
 * files, for whoever wants to look at them. The stretch itself stays where it is and is skipped.
 */
export class Quarantine {
  readonly #disk: Disk;
  readonly #logger: Logger;
  readonly #found = new Map<string, LogDamage>();

  constructor(disk: Disk, logger: Logger) {
    this.#disk = disk;
    this.#logger = logger;
  }

  damage(): readonly LogDamage[] {
    return [...this.#found.values()];
  }

  /** Never rejects: a copy that fails is logged. */
  async setAside(
    channel: ChannelName,
    directory: string,
    { path, offset, length, reason, kind }: FileDamage,
  ): Promise<void> {
    const key = `${path}:${offset}`;
    if (this.#found.has(key)) return;
    const stretch = { offset, length, reason, kind };
    const damage: LogDamage = { channel, file: path, ...stretch };
    this.#found.set(key, damage);
    this.#logger.error({ ...damage }, 'a stretch of the log is damaged and was set aside');
    if (stretch.length === 0) return;
    try {
      await this.#copy(path, stretch, `${directory}/quarantine`);
    } catch (error) {
      this.#logger.warn({ file: path, err: error }, 'the damaged stretch could not be copied aside');
    }
  }

  async #copy(
    path: string,
    { offset, length }: Pick<FileDamage, 'offset' | 'length'>,
    directory: string,
  ): Promise<void> {
    const name = `${basename(path)}-${offset}-${length}.bin`;
    await this.#disk.createDirectory(directory);
    const there = await this.#disk.list(directory);
    if (there.some((entry) => entry.name === name)) return;
    await using source = await this.#disk.open(path, 'read');
    await using target = await this.#disk.open(`${directory}/${name}`, 'create');
    const total = Math.min(length, COPY_BYTES_MAX);
    const chunk = new Uint8Array(Math.min(total, CHUNK_BYTES));
    for (let done = 0; done < total; ) {
      const read = await source.read(chunk.subarray(0, Math.min(chunk.length, total - done)), offset + done);
      if (read === 0) return;
      await target.writeDurably([chunk.subarray(0, read)], done);
      done += read;
    }
  }
}
