import { crc32 } from 'node:zlib';
import type { ChannelName, Timestamp } from '@elanus/model';
import { type Disk, DiskError } from '@elanus/runtime';
import type { LogDamage, NotedLoss } from './message-log.ts';

/** In a channel's directory: what of it an operator has accepted to be lost. */
export const ACCEPTED_LOSSES_FILE = 'accepted-losses';
/** In a channel's directory: what of it is lost, and nobody has accepted yet. */
export const NOTED_LOSSES_FILE = 'noted-losses';

type ListFile = typeof ACCEPTED_LOSSES_FILE | typeof NOTED_LOSSES_FILE;

/** No replay begins there. */
const NEVER = -1n as Timestamp;

/** What tells one loss from all others: where it is, and what it is. */
export function lossIdentity({ file, offset, length, reason }: LogDamage): string {
  return JSON.stringify([file.slice(file.lastIndexOf('/') + 1), offset, length, reason]);
}

/** The identities of the losses that were accepted. A list that can't be read is none: whoever runs the server is asked again. */
export async function readAcceptedLosses(disk: Disk, directory: string): Promise<ReadonlySet<string>> {
  return new Set((await readList(disk, directory, ACCEPTED_LOSSES_FILE)) ?? []);
}

/** Puts a list in the place of the one before, whole or not at all; durable when it resolves. */
export async function writeAcceptedLosses(
  disk: Disk,
  directory: string,
  identities: ReadonlySet<string>,
): Promise<void> {
  await writeList(disk, directory, ACCEPTED_LOSSES_FILE, [...identities]);
}

/** The losses of a channel that were noted. A list that can't be read is a loss itself: nobody knows what was on it. */
export async function readNotedLosses(
  disk: Disk,
  directory: string,
  channel: ChannelName,
): Promise<readonly NotedLoss[]> {
  const lines = await readList(disk, directory, NOTED_LOSSES_FILE);
  const losses = lines?.map((line) => parseNoted(line, directory, channel));
  if (losses?.every((loss) => loss !== null)) return losses;
  const file = `${directory}/${NOTED_LOSSES_FILE}`;
  const reason = 'the list of what is lost can’t be read';
  return [{ damage: { channel, file, offset: 0, length: 0, reason, kind: 'damaged' }, after: NEVER }];
}

/** As `writeAcceptedLosses`. */
export async function writeNotedLosses(
  disk: Disk,
  directory: string,
  losses: readonly NotedLoss[],
): Promise<void> {
  const lines = losses.map(({ damage: { file, offset, length, reason, kind }, after }) =>
    JSON.stringify([file.slice(file.lastIndexOf('/') + 1), offset, length, reason, kind, String(after)]),
  );
  await writeList(disk, directory, NOTED_LOSSES_FILE, lines);
}

/** The checksum has said that the line is as it was written. */
function parseNoted(line: string, directory: string, channel: ChannelName): NotedLoss | null {
  const [name, offset, length, reason, kind, after] = JSON.parse(line) as readonly unknown[];
  const isKind = kind === 'damaged' || kind === 'missing';
  if (typeof offset !== 'number' || typeof length !== 'number' || !isKind) return null;
  const file = `${directory}/${name}`;
  const damage: LogDamage = { channel, file, offset, length, reason: String(reason), kind };
  return { damage, after: BigInt(String(after)) as Timestamp };
}

function titleOf(file: ListFile): string {
  return `elanus ${file.replace('-', ' ')} 1 `;
}

/** The lines of a list; `null` when it can't be read. */
async function readList(disk: Disk, directory: string, name: ListFile): Promise<readonly string[] | null> {
  try {
    await using file = await disk.open(`${directory}/${name}`, 'read');
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    const title = new RegExp(`^${titleOf(name)}([0-9a-f]{8})\n`).exec(bytes.toString('latin1', 0, 64));
    if (title === null) return null;
    const lines = bytes.subarray(title[0].length);
    if (crc32(lines) !== Number.parseInt(title[1]!, 16)) return null;
    return lines.toString('utf8').split('\n').slice(0, -1);
  } catch (error) {
    if (error instanceof DiskError) return null;
    throw error;
  }
}

async function writeList(
  disk: Disk,
  directory: string,
  name: ListFile,
  entries: readonly string[],
): Promise<void> {
  const lines = Buffer.from(entries.map((entry) => `${entry}\n`).join(''));
  const checksum = crc32(lines).toString(16).padStart(8, '0');
  const path = `${directory}/${name}`;
  {
    await using file = await disk.open(`${path}.new`, 'create');
    await file.writeDurably([Buffer.from(`${titleOf(name)}${checksum}\n`), lines], 0);
  }
  await disk.rename(`${path}.new`, path);
  await disk.syncDirectory(directory);
}
