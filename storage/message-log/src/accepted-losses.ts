import { crc32 } from 'node:zlib';
import { type Disk, DiskError } from '@elanus/runtime';
import type { LogDamage } from './message-log.ts';

/** In a channel's directory: what of it an operator has accepted to be lost. */
export const ACCEPTED_LOSSES_FILE = 'accepted-losses';
const TITLE = /^elanus accepted losses 1 ([0-9a-f]{8})\n/;

/** What tells one loss from all others: where it is, and what it is. */
export function lossIdentity({ file, offset, length, reason }: LogDamage): string {
  return JSON.stringify([file.slice(file.lastIndexOf('/') + 1), offset, length, reason]);
}

/** The identities of the losses that were accepted. A list that can't be read is none: whoever runs the server is asked again. */
export async function readAcceptedLosses(disk: Disk, directory: string): Promise<ReadonlySet<string>> {
  try {
    await using file = await disk.open(`${directory}/${ACCEPTED_LOSSES_FILE}`, 'read');
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    const title = TITLE.exec(bytes.toString('latin1', 0, 64));
    if (title === null) return new Set();
    const lines = bytes.subarray(title[0].length);
    if (crc32(lines) !== Number.parseInt(title[1]!, 16)) return new Set();
    return new Set(lines.toString('utf8').split('\n').slice(0, -1));
  } catch (error) {
    if (error instanceof DiskError) return new Set();
    throw error;
  }
}

/** Puts a list in the place of the one before, whole or not at all; durable when it resolves. */
export async function writeAcceptedLosses(
  disk: Disk,
  directory: string,
  identities: ReadonlySet<string>,
): Promise<void> {
  const lines = Buffer.from([...identities].map((identity) => `${identity}\n`).join(''));
  const checksum = crc32(lines).toString(16).padStart(8, '0');
  const path = `${directory}/${ACCEPTED_LOSSES_FILE}`;
  {
    await using file = await disk.open(`${path}.new`, 'create');
    await file.writeDurably([Buffer.from(`elanus accepted losses 1 ${checksum}\n`), lines], 0);
  }
  await disk.rename(`${path}.new`, path);
  await disk.syncDirectory(directory);
}
