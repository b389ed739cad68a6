import { flushCompileCache } from 'node:module';
import { loadingLibraries } from '@elanus/expr';
import {
  ELANUS_VERSION,
  launch,
  openProcessLog,
  type ProcessLog,
  type RunningServer,
  readConfiguration,
  StartError,
  type StartOptions,
} from '@elanus/launcher';
import { type Clock, systemClock } from '@elanus/runtime';
import { addressText, readyLine } from './ready-line.ts';
import { recoveryDisplay } from './recovery-display.ts';

/** After a signal the process is gone within ten seconds, whatever still runs; this leaves it one to end in. */
const STOP_MS_MAX = 9_000;

/** `elanus start`: serves until SIGTERM or SIGINT, then exits with code 0; with 1 when it can't start. */
export async function start(options: StartOptions): Promise<never> {
  // Whoever read our output may go away; that ends no server.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  const stopSignal = firstSignal();
  try {
    const configuration = await readConfiguration(options, process.env, process.cwd());
    const log = await openProcessLog(configuration.settings.logLevel);
    for (const warning of configuration.warnings) log.logger.warn({}, warning);
    const recovery = recoveryDisplay(log.logger, systemClock);
    const launched = launch({ configuration, logger: log.logger, onRecovery: recovery.report });
    const first = await Promise.race([launched, stopSignal]);
    // Nothing is acknowledged before the server is ready, so nothing is lost by not waiting for it.
    if (typeof first === 'string') {
      recovery.end();
      return exit(0, log);
    }
    void first.recovered.then(recovery.end);
    process.stdout.write(
      readyLine({
        grpc: addressText(configuration.host, first.grpcPort),
        admin: addressText(configuration.host, first.adminPort),
        data: configuration.dataDirectory,
        version: ELANUS_VERSION,
        ms: String(Math.round(performance.now())),
      }),
    );
    // Now rather than at the end, which a kill may take away; it writes only what is new.
    flushCompileCache();
    return await serveUntil(stopSignal, first, log);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`elanus: ${error.message}\n`);
    process.exit(1);
  }
}

/** Rests between two libraries: clients are served meanwhile. */
const REST_MS = 500;

/** Loads what would keep the first filter with a pattern or a shape waiting, and all others with it. */
async function loadLibraries(clock: Clock, signal: AbortSignal): Promise<void> {
  const loading = loadingLibraries();
  do await clock.sleep(REST_MS, { signal });
  while (!loading.next().done);
  flushCompileCache();
}

async function serveUntil(
  stopSignal: Promise<string>,
  server: RunningServer,
  log: ProcessLog,
): Promise<never> {
  const loading = new AbortController();
  loadLibraries(systemClock, loading.signal).catch((error) => {
    if (!loading.signal.aborted) log.logger.warn({ error }, 'a library of filters was not loaded');
  });
  const signal = await stopSignal;
  loading.abort();
  log.logger.info({ signal }, 'stopping');
  setTimeout(() => {
    log.logger.warn({}, 'stopped before everything had ended; nothing acknowledged is lost');
    exit(0, log);
  }, STOP_MS_MAX).unref();
  await server.close();
  return exit(0, log);
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** npm passes on to us what the terminal has sent us already: a signal so soon after the first is the same one. */
const SAME_SIGNAL_MS = 500;

/** The name of the first SIGTERM or SIGINT; a later one, of either, ends the process at once. */
function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    const heard = (name: string) => {
      resolve(name);
      setTimeout(() => {
        for (const signal of SIGNALS) process.off(signal, heard);
      }, SAME_SIGNAL_MS).unref();
    };
    for (const signal of SIGNALS) process.on(signal, heard);
  });
}

function exit(code: number, log: ProcessLog): never {
  log.flush();
  process.exit(code);
}
