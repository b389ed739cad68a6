import { importFailed } from '@elanus/model';

/** Milvus' figures: `dataCoord.import.maxImportJobNum` and `taskRetention`. */
const JOBS_MAX = 1_024;
const RETENTION_MS = 10_800_000;

/** What imports and exports have in common. */
interface Job {
  readonly id: bigint;
  readonly endedMs: number | null;
}

/** The jobs that have not ended, oldest first. */
export function unfinishedOf<Own extends Job>(jobs: readonly Own[]): readonly Own[] {
  return jobs.filter(({ endedMs }) => endedMs === null).sort((left, right) => (left.id < right.id ? -1 : 1));
}

/** @throws MilvusError 2100 when so many have not ended that no other may begin */
export function requireFewUnfinished(jobs: readonly Job[]): void {
  if (unfinishedOf(jobs).length < JOBS_MAX) return;
  throw importFailed(`the number of jobs has reached the limit, please try again later: ${JOBS_MAX}`);
}

/** Whether the job has ended so long ago that it is forgotten. */
export function isForgotten({ endedMs }: Job, nowMs: number): boolean {
  return endedMs !== null && endedMs + RETENTION_MS < nowMs;
}

export function newestFirst(left: Job, right: Job): number {
  return left.id > right.id ? -1 : 1;
}
