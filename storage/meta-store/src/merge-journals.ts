import type { Frame, JournalContent } from './journal-format.ts';

/** What two journals say together. */
export interface MergedJournals {
  readonly pairs: Map<string, Uint8Array>;
  /** Of the last commit. */
  readonly sequence: bigint;
  /** Numbers of commits before it that neither journal has. */
  readonly lost: readonly bigint[];
}

/** Most numbers of lost commits that are told. */
const LOST_MAX = 1_000;

/** The newest snapshot, and every later commit that is in any of the journals. */
export function mergeJournals(journals: readonly (JournalContent | null)[]): MergedJournals {
  const frames = journals.flatMap((journal) => journal?.frames ?? []);
  const snapshot = frames
    .filter(({ kind }) => kind === 'snapshot')
    .reduce<Frame | null>(
      (newest, one) => (newest === null || one.sequence > newest.sequence ? one : newest),
      null,
    );
  let sequence = snapshot?.sequence ?? 0n;
  const commits = new Map<bigint, Frame>();
  for (const frame of frames)
    if (frame.kind === 'commit' && frame.sequence > sequence) commits.set(frame.sequence, frame);
  const ordered = [...commits.values()].sort((left, right) => (left.sequence < right.sequence ? -1 : 1));
  const pairs = new Map<string, Uint8Array>();
  const lost: bigint[] = [];
  for (const frame of snapshot === null ? ordered : [snapshot, ...ordered]) {
    for (let missed = sequence + 1n; missed < frame.sequence && lost.length < LOST_MAX; missed++)
      lost.push(missed);
    applyChanges(pairs, frame);
    sequence = frame.sequence;
  }
  return { pairs, sequence, lost };
}

export function applyChanges(pairs: Map<string, Uint8Array>, { changes }: Pick<Frame, 'changes'>): void {
  for (const { key, value } of changes) {
    if (value === null) pairs.delete(key);
    else pairs.set(key, value);
  }
}

/** The number of the last commit that a journal has; `null` when it has none, or there is no journal. */
export function lastSequence(journal: JournalContent | null): bigint | null {
  return journal?.frames.at(-1)?.sequence ?? null;
}
