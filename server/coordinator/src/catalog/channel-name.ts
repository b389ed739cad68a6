import type { ChannelName, CollectionId } from '@elanus/model';

/** `elanus-dml_<n>_<collection id>v<shard>`: the collection can be told from the name alone. */
const CHANNEL_NAME = /^elanus-dml_\d+_(\d{1,19})v\d+$/;

/** The channels of a collection, one per shard. */
export function channelNames(id: CollectionId, shardsNum: number): readonly ChannelName[] {
  return Array.from({ length: shardsNum }, (_, shard) => `elanus-dml_${shard}_${id}v${shard}` as ChannelName);
}

/** The collection that a channel belongs to; `undefined` when the name is none of ours. */
export function channelOwner(channel: string): CollectionId | undefined {
  const id = CHANNEL_NAME.exec(channel)?.[1];
  return id === undefined ? undefined : (BigInt(id) as CollectionId);
}
