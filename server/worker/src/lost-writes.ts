import type { LogDamage, MessageLog, NotedLoss } from '@elanus/message-log';
import { type ChannelName, type CollectionInfo, dataIntegrity, type Timestamp } from '@elanus/model';
import type { Logger } from '@elanus/runtime';
import type { ServedCollection } from './served-collection.ts';

/**
 * What becomes of a collection when records of its log are damaged. `serve`: the loss is told of everywhere, and the rest is
 * served. `refuse`: reads and writes fail with code 1009 until the file is put back, or an operator has accepted the loss.
 */
export type DamagedLogPolicy = 'serve' | 'refuse';

/** How many losses a message names. */
const NAMED_MAX = 3;

export interface LostWritesContext {
  readonly log: MessageLog;
  readonly logger: Logger;
  readonly damagedLog: DamagedLogPolicy;
}

/**
 * Decides whether a collection is served without what replays behind `after` have told to be lost, and what was noted by
 * earlier starts; if so it is noted durably first, because a flush makes the loss final and its traces go with the log.
 * @throws MilvusError 1009 when it is not: by the policy, or because bytes are missing, which somebody may still put back
 */
export async function settleLosses(
  { log, logger, damagedLog }: LostWritesContext,
  collection: ServedCollection,
  { told, after }: { readonly told: readonly LogDamage[]; readonly after: Timestamp },
): Promise<void> {
  const { info } = collection;
  if (told.length > 0 && (damagedLog === 'refuse' || told.some(({ kind }) => kind === 'missing')))
    throw writesLost(info, told);
  const standing: LogDamage[] = [];
  for (const channel of info.channels) {
    const before = log.notedLosses(channel);
    const now = standingLosses(before, { told: told.filter((loss) => loss.channel === channel), after });
    if (!isSameList(before, now)) await log.noteLosses(channel, now);
    standing.push(...now.map(({ damage }) => damage));
  }
  if (standing.length === 0) return;
  collection.noteLosses(standing.map(lossInWords));
  const about = { collection: String(info.id), name: info.name, losses: standing };
  logger.error(about, 'the log of a collection has lost writes: the rest of it is served');
}

/** What was noted and not told of again is mended when the replay began where it did then, else it is in files for good. */
function standingLosses(
  noted: readonly NotedLoss[],
  { told, after }: { readonly told: readonly LogDamage[]; readonly after: Timestamp },
): readonly NotedLoss[] {
  const isTold = (damage: LogDamage): boolean => told.some((loss) => isSamePlace(loss, damage));
  const kept = noted.filter(({ damage, after: then }) => then !== after && !isTold(damage));
  return [...kept, ...told.map((damage) => ({ damage, after }))];
}

function isSameList(left: readonly NotedLoss[], right: readonly NotedLoss[]): boolean {
  return (
    left.length === right.length &&
    left.every((one, at) => one.after === right[at]!.after && isSamePlace(one.damage, right[at]!.damage))
  );
}

function isSamePlace(left: LogDamage, right: LogDamage): boolean {
  return left.file === right.file && left.offset === right.offset && left.length === right.length;
}

function lossInWords({ file, offset, reason }: LogDamage): string {
  return `${file}${offset === 0 ? '' : ` at byte ${offset}`}: ${reason}`;
}

/** Writes that were acknowledged are gone: nobody may be answered as if they had never been, before an operator says so. */
export function writesLost({ name }: CollectionInfo, losses: readonly LogDamage[]): Error {
  const named = losses.slice(0, NAMED_MAX).map(lossInWords);
  const more = losses.length > NAMED_MAX ? `, and ${losses.length - NAMED_MAX} more` : '';
  const files = named.join(', ') + more;
  return dataIntegrity(`the log of collection ${name} has lost writes (${files})`, null);
}

/** A channel of which nothing is there. */
export function lossOfChannel(channel: ChannelName): LogDamage {
  const reason = 'the log of the shard is missing';
  return { channel, file: channel, offset: 0, length: 0, reason, kind: 'missing' };
}
