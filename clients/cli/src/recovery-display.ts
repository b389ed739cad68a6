import type { RecoveryProgress } from '@elanus/launcher';
import type { Clock, Logger } from '@elanus/runtime';

export interface RecoveryDisplay {
  /** May be called as often as one likes. */
  readonly report: (progress: RecoveryProgress) => void;
  /** Leaves a clean line behind. */
  readonly end: () => void;
}

const BAR_CELLS = 30;
const MIB = 1024 * 1024;
const SHOW_INTERVAL_MS = { bar: 100, line: 2_000 } as const;

/** Shows how far the log is read again: a bar on a terminal, a line every two seconds otherwise. */
export function recoveryDisplay(logger: Logger, clock: Clock): RecoveryDisplay {
  return process.stderr.isTTY ? bar(clock) : lines(logger, clock);
}

function bar(clock: Clock): RecoveryDisplay {
  const due = atMostEvery(SHOW_INTERVAL_MS.bar, clock);
  let shown = false;
  return {
    report: (progress) => {
      if (!due()) return;
      shown = true;
      process.stderr.write(`\r\x1b[K${barText(progress)}`);
    },
    end: () => {
      if (shown) process.stderr.write('\r\x1b[K');
    },
  };
}

/** For example `reading the log [███████       ] 49 %, 120,000 rows, 61 MiB`. */
export function barText({ share, rows, bytes }: RecoveryProgress): string {
  const full = Math.round(BAR_CELLS * share);
  const cells = '█'.repeat(full) + ' '.repeat(BAR_CELLS - full);
  const counts = `${rows.toLocaleString('en')} rows, ${Math.round(bytes / MIB)} MiB`;
  return `reading the log [${cells}] ${Math.floor(share * 100)} %, ${counts}`;
}

function lines(logger: Logger, clock: Clock): RecoveryDisplay {
  const due = atMostEvery(SHOW_INTERVAL_MS.line, clock);
  return {
    report: (progress) => {
      if (due()) logger.info(progress, 'reading the log again');
    },
    end: () => {},
  };
}

/** True when `intervalMs` have passed since it was made or last true. */
function atMostEvery(intervalMs: number, clock: Clock): () => boolean {
  let nextMs = clock.monotonicMs() + intervalMs;
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs < nextMs) return false;
    nextMs = nowMs + intervalMs;
    return true;
  };
}
