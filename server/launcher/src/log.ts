import type { Logger } from '@elanus/runtime';
import { destination, pino } from 'pino';
import type { LogLevel } from './log-level.ts';

export interface ProcessLog {
  readonly logger: Logger;
  /** Writes what is still buffered, for the moment before the process ends. */
  flush(): void;
}

const STDERR = 2;

/** Logs to stderr: for people when it is a terminal, JSON lines otherwise. */
export async function openProcessLog(level: LogLevel): Promise<ProcessLog> {
  if (process.stderr.isTTY) {
    const { default: pretty } = await import('pino-pretty');
    const stream = pretty({
      destination: STDERR,
      sync: true,
      ignore: 'pid,hostname',
      translateTime: 'SYS:HH:MM:ss.l',
    });
    return { logger: pino({ level }, stream), flush: () => {} };
  }
  // Asynchronous: whoever reads stderr slowly must not hold up the event loop.
  const stream = destination({ dest: STDERR, sync: false });
  return { logger: pino({ level }, stream), flush: () => stream.flushSync() };
}
