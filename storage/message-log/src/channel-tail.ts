import type { ChannelSurvey, LogFile } from './channel-survey.ts';
import { PREVIOUS_END_UNKNOWN } from './log-format.ts';
import type { WritableFile } from './record-group.ts';

/** Where the next record goes. */
export type ChannelTail =
  /** Into a file that is still to be made. Nothing is written to the one before any more. */
  | { readonly at: 'next-file'; readonly number: number; readonly previousEnd: number }
  /** `end` bytes are durable; from there to `allocated` the file holds zeros. */
  | { readonly at: 'file'; readonly file: WritableFile; readonly allocated: number };

/** Where a channel goes on after an opening, and the files before. */
export function tailOf(survey: ChannelSurvey): { readonly sealed: LogFile[]; readonly tail: ChannelTail } {
  const last = survey.files.at(-1);
  if (last !== undefined && last.salt !== null && survey.tailIsSound) {
    const file = { ...last, salt: last.salt };
    return { sealed: survey.files.slice(0, -1), tail: { at: 'file', file, allocated: last.end } };
  }
  const isKnown = last?.number === survey.nextNumber - 1;
  const counted = survey.extent?.nextNumber === survey.nextNumber ? survey.extent.end : 0;
  // What was cut short stays so: later starts have to miss it, too.
  const previousEnd = isKnown ? Math.max(last.end, counted) : PREVIOUS_END_UNKNOWN;
  return { sealed: [...survey.files], tail: { at: 'next-file', number: survey.nextNumber, previousEnd } };
}
