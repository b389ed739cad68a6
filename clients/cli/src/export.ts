import { setTimeout as sleep } from 'node:timers/promises';
import { RefusedError, RestClient } from './rest-client.ts';

export interface ExportOptions {
  readonly server: string;
  readonly token?: string;
  readonly database?: string;
  readonly collection: string;
  readonly partition?: readonly string[];
  readonly filter?: string;
  readonly fields?: readonly string[];
  readonly format: string;
  readonly to: string;
}

interface Described {
  readonly state: string;
  readonly progress: number;
  readonly exportedRows: number;
  readonly totalRows: number;
  readonly files: readonly string[];
  readonly reason?: string;
}

const POLL_MS = 200;

/** `elanus export`: lets the server write rows to files, tells how far it is, and prints the files. Sets the exit code. */
export async function exportRows(options: ExportOptions): Promise<void> {
  const client = new RestClient(options.server, options.token);
  const {
    database: dbName,
    collection: collectionName,
    filter,
    fields,
    partition,
    format,
    to: path,
  } = options;
  try {
    const { jobId } = (await client.call('jobs/export/create', {
      dbName,
      collectionName,
      filter,
      outputFields: fields,
      partitionNames: partition,
      format,
      path,
    })) as { jobId: string };
    for (let told = -1; ; ) {
      const job = (await client.call('jobs/export/describe', { dbName, jobId })) as Described;
      if (job.progress !== told) {
        told = job.progress;
        process.stderr.write(`${job.state}: ${job.exportedRows} of ${job.totalRows} rows\n`);
      }
      if (job.state === 'Failed') throw new RefusedError(job.reason ?? 'the export failed');
      if (job.state === 'Completed') {
        process.stdout.write(job.files.map((file) => `${file}\n`).join(''));
        return;
      }
      await sleep(POLL_MS);
    }
  } catch (error) {
    const isTold = error instanceof RefusedError || error instanceof TypeError;
    if (!isTold) throw error;
    const why = error instanceof TypeError ? `no server answers at ${options.server}` : error.message;
    process.stderr.write(`elanus: ${why}\n`);
    process.exitCode = 1;
  }
}
