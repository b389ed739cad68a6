import type { ChannelName, Timestamp } from '@elanus/model';
import type { ChannelSurvey, SpanRecord } from './channel-survey.ts';

/**
 * The records, by channel, whose write did not reach all its channels: it was never acknowledged, and no
 * part of it may be replayed.
 *
 * A part is taken to have been there when its channel is gone (dropped on purpose), cannot be read
 * (another version) or was damaged around that time: to lose the other parts too would make damage
 * worse. So it is when its channel was cut behind that time: then nobody replays the other parts.
 */
export function incompleteSpans(
  surveys: ReadonlyMap<ChannelName, ChannelSurvey | 'unreadable'>,
): ReadonlyMap<ChannelName, ReadonlySet<Timestamp>> {
  const present = new Map<ChannelName, ReadonlySet<Timestamp>>();
  for (const [channel, survey] of surveys) {
    if (survey !== 'unreadable')
      present.set(channel, new Set(survey.spans.map((record) => record.timestamp)));
  }
  const reached = (channel: ChannelName, timestamp: Timestamp): boolean => {
    const survey = surveys.get(channel);
    if (survey === undefined || survey === 'unreadable') return true;
    if (present.get(channel)?.has(timestamp)) return true;
    const [first] = survey.files;
    if (first !== undefined && timestamp <= first.afterTimestamp) return true;
    return survey.doubtful.some(([after, before]) => timestamp > after && timestamp < before);
  };
  const isWhole = ({ timestamp, others }: SpanRecord) => others.every((other) => reached(other, timestamp));
  const incomplete = new Map<ChannelName, ReadonlySet<Timestamp>>();
  for (const [channel, survey] of surveys) {
    if (survey === 'unreadable') continue;
    const broken = survey.spans.filter((record) => !isWhole(record));
    incomplete.set(channel, new Set(broken.map((record) => record.timestamp)));
  }
  return incomplete;
}
