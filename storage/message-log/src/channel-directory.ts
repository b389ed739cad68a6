import type { ChannelName } from '@elanus/model';

/**
 * A channel's directory is its name with everything but letters, digits, `-` and `_` percent-encoded;
 * so no dot is in it, and names with one are ours: `<channel>.dropped-<n>` waits to be removed.
 */
export function channelDirectoryName(channel: ChannelName): string {
  const name = encodeURIComponent(channel).replace(
    /[.!~*'()]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  if (name.length === 0 || name.length > 200)
    throw new RangeError(`no directory can be named after channel ${channel}`);
  return name;
}

/** The inverse; `null` when the name is no channel's. Never throws. */
export function channelOfDirectory(name: string): ChannelName | null {
  try {
    const channel = decodeURIComponent(name) as ChannelName;
    return channelDirectoryName(channel) === name ? channel : null;
  } catch {
    return null;
  }
}

export function droppedDirectoryName(channelDirectory: string, nonce: number): string {
  return `${channelDirectory}.dropped-${nonce}`;
}

export function isDroppedDirectory(name: string): boolean {
  return name.includes('.dropped-');
}

/** `000000000042.log`: files sort by name as they do by number. */
export function logFileName(number: number): string {
  return `${String(number).padStart(12, '0')}.log`;
}

/** The number in a log file's name; `null` when it is another file. */
export function logFileNumber(name: string): number | null {
  return /^\d{12}\.log$/.test(name) ? Number.parseInt(name, 10) : null;
}
