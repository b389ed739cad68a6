import { type AccessServer, ExportService, ImportService, openModels, startAccess } from '@elanus/access';
import { diskFull, MilvusError } from '@elanus/model';
import { type Clock, DiskError, type Logger, systemClock } from '@elanus/runtime';
import type { RecoveryProgress } from '@elanus/worker';
import { AdminServer } from './admin-server.ts';
import type { Configuration } from './config/read-configuration.ts';
import { DataDirectory } from './data-directory.ts';
import { listening } from './listening.ts';
import { PrometheusMetrics } from './prometheus-metrics.ts';
import { openStandalone } from './standalone.ts';
import { StartError } from './start-error.ts';
import { SERVER_VERSION } from './version.ts';

export interface LaunchOptions {
  readonly configuration: Configuration;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Told while the log is read again, often. */
  readonly onRecovery?: (progress: RecoveryProgress) => void;
}

/** Calls in flight get this long to end; the rest of the ten seconds a stop may take belongs to the log. */
const CLOSE_GRACE_MS = 7_000;

/**
 * Starts a whole server in this process. When it resolves, both ports answer. What needs a collection whose log is still
 * being read waits for it, so that nobody sees less than all that was ever acknowledged.
 * @throws StartError when it can't, for a reason outside of the program; nothing is left open or changed
 */
export async function launch(options: LaunchOptions): Promise<RunningServer> {
  try {
    return await RunningServer.start(options);
  } catch (error) {
    throw translated(error);
  }
}

/** A server that serves, until it is closed. */
export class RunningServer implements AsyncDisposable {
  /** The ports in use, also when any free one was asked for. */
  readonly grpcPort: number;
  readonly adminPort: number;
  /** Resolves when every log has been read again. */
  readonly recovered: Promise<void>;
  /** What it holds open, in the order it was opened. */
  readonly #opened: AsyncDisposableStack;

  private constructor(
    opened: AsyncDisposableStack,
    ports: { readonly grpcPort: number; readonly adminPort: number },
    recovered: Promise<void>,
  ) {
    this.#opened = opened;
    this.recovered = recovered;
    this.grpcPort = ports.grpcPort;
    this.adminPort = ports.adminPort;
  }

  /** As `launch`, with errors as they come. */
  static async start({
    configuration,
    logger,
    clock = systemClock,
    onRecovery,
  }: LaunchOptions): Promise<RunningServer> {
    const { host, settings, objectStore } = configuration;
    const adminAddress = { host, port: configuration.adminPort };
    const grpcAddress = { host, port: configuration.port };
    const metrics = new PrometheusMetrics(clock);

    await using opened = new AsyncDisposableStack();
    const directory = opened.use(await DataDirectory.open(configuration.dataDirectory, { logger }));
    const admin = opened.adopt(
      await listening(adminAddress, AdminServer.start({ ...adminAddress, metrics })),
      (server) => server.close(),
    );
    const roles = opened.use(
      await openStandalone({ directory, settings, objectStore, clock, logger, metrics, onRecovery }),
    );
    const models = openModels(configuration.models, { clock, share: roles.share });
    const shared = { ...roles, models, clock, logger, metrics, limits: settings.access };
    const service = opened.use(
      await ImportService.open({ ...shared, importing: roles.streaming, files: roles.importFiles }),
    );
    const exportService = opened.use(await ExportService.open({ ...shared, files: roles.importFiles }));
    const access = opened.adopt<AccessServer>(
      await listening(
        grpcAddress,
        startAccess(
          {
            ...shared,
            files: roles.importFiles,
            importing: { imports: roles.imports, service },
            exportService,
            version: SERVER_VERSION,
          },
          grpcAddress,
        ),
      ),
      (server) => server.close({ graceMs: CLOSE_GRACE_MS }),
    );
    admin.become('serving');
    admin.tryCallsAt(access.port);
    const ports = { grpcPort: access.port, adminPort: admin.port };
    return new RunningServer(opened.move(), ports, roles.recovered);
  }

  /**
   * Finishes what is in flight, for at most seven seconds, and releases everything. Idempotent; the second caller
   * does not wait.
   */
  async close(): Promise<void> {
    await this.#opened.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The world's failures as a sentence; ours stay as they are. */
function translated(error: unknown): unknown {
  if (error instanceof DiskError) return new StartError(`${SENTENCES[error.kind]}: ${error.path}`, error);
  if (error instanceof MilvusError && error.code === diskFull(null).code)
    return new StartError('the disk is full', error);
  return error;
}

const SENTENCES: Readonly<Record<DiskError['kind'], string>> = {
  full: 'the disk is full',
  missing: 'a file that must be there is missing',
  denied: 'this user has no right to a file',
  failed: 'the disk failed',
};
