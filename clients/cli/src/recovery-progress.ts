import type { Logger } from '@elanus/runtime';

export interface RecoveryProgress {
  /** `done` goes from 0 to 1. May be called as often as one likes. */
  readonly report: (done: number) => void;
  /** Leaves a clean line behind. */
  readonly end: () => void;
}

const BAR_CELLS = 40;
/** A step of the log lines that stand in for the bar. */
const LOG_STEP_PERCENT = 10;

/** Shows how far the log is read again: a bar on a terminal, a line for each tenth otherwise. */
export function recoveryProgress(logger: Logger): RecoveryProgress {
  return process.stderr.isTTY ? bar() : lines(logger);
}

function bar(): RecoveryProgress {
  let shown = -1;
  return {
    report: (done) => {
      const percent = Math.floor(done * 100);
      if (percent === shown) return;
      shown = percent;
      const cells = Math.round(done * BAR_CELLS);
      process.stderr.write(
        `\rreading the log [${'█'.repeat(cells)}${' '.repeat(BAR_CELLS - cells)}] ${percent} %`,
      );
    },
    end: () => {
      if (shown >= 0) process.stderr.write('\r\x1b[K');
    },
  };
}

function lines(logger: Logger): RecoveryProgress {
  let logged = 0;
  return {
    report: (done) => {
      const percent = Math.floor(done * 100);
      if (percent < logged + LOG_STEP_PERCENT) return;
      logged = percent;
      logger.info({ percent }, 'reading the log again');
    },
    end: () => {},
  };
}
