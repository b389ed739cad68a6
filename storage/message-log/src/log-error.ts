import { type ChannelName, diskFull, LegacyCode, MilvusError, serviceNotReady } from '@elanus/model';
import { DiskError } from '@elanus/runtime';

/** The channel was dropped, or never made: code 500, as in Milvus. */
export function channelNotFound(channel: ChannelName): MilvusError {
  return new MilvusError(`channel not found[channel=${channel}]`, { code: 500 });
}

/** The channel's last write went wrong and its tail is not yet known to be sound. The same write may work soon. */
export function channelRepairing(channel: ChannelName): MilvusError {
  return serviceNotReady(`the log of ${channel} recovers from a failed write`);
}

/** More bytes wait for the disk than may wait. The same write may work soon. */
export function logBusy(): MilvusError {
  return serviceNotReady('too many writes wait for the disk');
}

export function logClosed(): MilvusError {
  return serviceNotReady('the log is closed');
}

/** The one rejection that promises nothing: after a restart the write may be there, whole, or not. */
export class LogOutcomeUnknownError extends Error {
  override readonly name = 'LogOutcomeUnknownError';

  constructor(channel: ChannelName, cause: unknown) {
    super(`the log of ${channel} was closed before a failed write could be undone`, { cause });
  }
}

/** The channel's files were written by another version of Elanus: it can be neither read nor written. */
export class LogVersionError extends Error {
  override readonly name = 'LogVersionError';
  readonly channel: ChannelName;
  readonly version: number;

  constructor(channel: ChannelName, file: string, version: number) {
    super(
      `the log of ${channel} has format ${version}, which this version of Elanus does not know (${file})`,
    );
    this.channel = channel;
    this.version = version;
  }
}

/** What a writer is told when the disk did not take its record. */
export function writeRefused(channel: ChannelName, cause: unknown): Error {
  if (!(cause instanceof DiskError)) return cause instanceof Error ? cause : new Error(String(cause));
  if (cause.kind === 'full') return diskFull(cause);
  return new MilvusError(`the log of ${channel} could not be written: ${cause.message}`, {
    code: 1,
    legacyCode: LegacyCode.NotReadyServe,
    retriable: true,
    cause,
  });
}
