/** What happened in a run; the same for the same seed. */
export interface WritePathSummary {
  starts: number;
  /** Ends without a goodbye, those during a start included. */
  crashes: number;
  acknowledged: number;
  refused: number;
  unanswered: number;
  reads: number;
  definitions: number;
  flushes: number;
  /** Groups of segments that somebody wanted to be put together. */
  compactions: number;
  /** Sealed segments at all starts together. */
  segmentsFound: number;
  /** A number that any difference in the order of events would change. */
  trace: number;
}

/** Of a run in which nothing has happened yet. */
export function emptySummary(): WritePathSummary {
  return {
    starts: 0,
    crashes: 0,
    acknowledged: 0,
    refused: 0,
    unanswered: 0,
    reads: 0,
    definitions: 0,
    flushes: 0,
    compactions: 0,
    segmentsFound: 0,
    trace: 0,
  };
}
