import type { ChannelName } from '@elanus/model';
import {
  type Clock,
  ConcurrencyLimit,
  type Disk,
  type Logger,
  type Metrics,
  type Random,
} from '@elanus/runtime';
import { channelDirectoryName, channelOfDirectory, isDroppedDirectory } from './channel-directory.ts';
import { type ChannelSurvey, surveyChannel } from './channel-survey.ts';
import { ChannelWriter, type WriterContext } from './channel-writer.ts';
import { FileHandles } from './file-handles.ts';
import { FileMessageLog, type LogChannel } from './file-message-log.ts';
import { LogVersionError } from './log-error.ts';
import { FILE_BYTES_ROLL } from './log-format.ts';
import { registerLogMetrics } from './log-metrics.ts';
import { readAcceptedLosses, readNotedLosses } from './loss-lists.ts';
import type { MessageLog } from './message-log.ts';
import { Quarantine } from './quarantine.ts';
import { incompleteSpans } from './span-check.ts';

export interface MessageLogOptions {
  readonly disk: Disk;
  /** Made when it is not there. Nobody else may write into it, nor open it a second time. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A new file is begun when one has so many bytes: at most, and by default, 64 MiB. Tests take less. */
  readonly fileBytesRoll?: number;
  /** Channels opened so far, and in all. */
  readonly onProgress?: (channelsDone: number, channelsTotal: number) => void;
}

/** Files kept open for channels that nobody writes to. */
const IDLE_FILES_MAX = 128;
/** Channels written to at the same time: far more than the disk profits from, far fewer than files may be open. */
const WRITING_MAX = 256;
/** Channels surveyed at the same time. */
const SURVEYING_MAX = 8;

/**
 * Opens the log in `directory`: finds its channels, cuts off what a crash tore, sets damage aside, and
 * tells which writes are whole. Rejects with a `DiskError` only when the directory itself can't be used;
 * a channel that can't be read is reported by `damage()` or, if of another version, by its `replay`.
 */
export async function openMessageLog(options: MessageLogOptions): Promise<MessageLog> {
  const { disk, directory, logger } = options;
  await disk.createDirectory(directory);
  const names = await listChannels(options);
  const quarantine = new Quarantine(disk, logger);
  const surveys = await surveyAll(options, names, quarantine);
  const incomplete = incompleteSpans(
    new Map([...surveys].map(([name, survey]) => [name, survey instanceof Error ? 'unreadable' : survey])),
  );
  const closing = new AbortController();
  const context: WriterContext = {
    disk,
    clock: options.clock,
    random: options.random,
    logger,
    metrics: registerLogMetrics(options.metrics),
    fileBytesRoll: Math.min(options.fileBytesRoll ?? FILE_BYTES_ROLL, FILE_BYTES_ROLL),
    handles: new FileHandles(IDLE_FILES_MAX),
    writing: new ConcurrencyLimit(WRITING_MAX),
    closing: closing.signal,
  };
  const channels = new Map<ChannelName, LogChannel>();
  for (const [name, survey] of surveys) {
    const path = `${directory}/${channelDirectoryName(name)}`;
    const withheld = new Set(incomplete.get(name));
    channels.set(
      name,
      survey instanceof Error
        ? { state: 'refused', directory: path, error: survey }
        : {
            state: 'served',
            directory: path,
            withheld,
            ...(await lossesOf(disk, path, name, survey)),
            writer: new ChannelWriter(context, name, path, survey),
          },
    );
  }
  return new FileMessageLog({ context, directory, channels, quarantine, closing });
}

/** What the survey found to be lost, and what somebody has accepted. */
async function lossesOf(
  disk: Disk,
  directory: string,
  channel: ChannelName,
  { damage, hasAcceptedLosses, hasNotedLosses }: ChannelSurvey,
): Promise<Pick<LogChannel & { readonly state: 'served' }, 'losses' | 'accepted' | 'noted'>> {
  const losses = damage.flatMap(({ path, lostUpTo, ...rest }) =>
    lostUpTo === null ? [] : [{ upTo: lostUpTo, damage: { channel, file: path, ...rest } }],
  );
  const accepted = new Set(hasAcceptedLosses ? await readAcceptedLosses(disk, directory) : []);
  const noted = hasNotedLosses ? await readNotedLosses(disk, directory, channel) : [];
  return { losses, accepted, noted };
}

async function listChannels({ disk, directory, logger }: MessageLogOptions): Promise<readonly ChannelName[]> {
  const names: ChannelName[] = [];
  for (const { name, kind } of await disk.list(directory)) {
    if (kind !== 'directory') continue;
    if (isDroppedDirectory(name)) {
      await disk.remove(`${directory}/${name}`).catch((error) => {
        logger.warn({ err: error }, 'the files of a dropped channel could not be removed');
      });
      continue;
    }
    const channel = channelOfDirectory(name);
    if (channel !== null) names.push(channel);
  }
  return names;
}

async function surveyAll(
  { disk, directory, logger, onProgress }: MessageLogOptions,
  names: readonly ChannelName[],
  quarantine: Quarantine,
): Promise<ReadonlyMap<ChannelName, ChannelSurvey | LogVersionError>> {
  const limit = new ConcurrencyLimit(SURVEYING_MAX);
  let done = 0;
  const surveyOne = async (name: ChannelName): Promise<ChannelSurvey | LogVersionError> => {
    const path = `${directory}/${channelDirectoryName(name)}`;
    try {
      const survey = await surveyChannel(disk, path, name);
      for (const damage of survey.damage) await quarantine.setAside(name, path, damage);
      if (survey.tornBytes > 0) {
        const { tornBytes } = survey;
        logger.warn(
          { channel: name, tornBytes },
          'cut off what a crash left of writes that were never acknowledged',
        );
      }
      return survey;
    } catch (error) {
      if (!(error instanceof LogVersionError)) throw error;
      logger.error({ channel: name, err: error }, 'a channel is not served');
      return error;
    } finally {
      done += 1;
      onProgress?.(done, names.length);
    }
  };
  const surveys = await Promise.all(names.map((name) => limit.run(() => surveyOne(name))));
  return new Map(names.map((name, index) => [name, surveys[index]!]));
}
