import { parentPort, workerData } from 'node:worker_threads';
import { openEnvironment } from './lmdb-environment.ts';
import type { WriteReply, WriteRequest, WriterData } from './lmdb-writer-messages.ts';

/** The thread that commits: a synchronous transaction for each request, in the order of their coming. */

if (parentPort === null) throw new Error('the writer runs in a thread of its own');
const port = parentPort;
const environment = openEnvironment((workerData as WriterData).path);

port.on('message', (request: WriteRequest | 'close') => {
  if (request === 'close') {
    void environment.close().finally(() => port.close());
    return;
  }
  port.postMessage({ id: request.id, error: commit(request) } satisfies WriteReply);
});

function commit({ changes }: WriteRequest): WriteReply['error'] {
  try {
    environment.transactionSync(() => {
      for (const { key, value } of changes) {
        if (value === null) environment.removeSync(Buffer.from(key));
        else environment.putSync(Buffer.from(key), Buffer.from(value));
      }
    });
    return null;
  } catch (error) {
    const { message } = error as Error;
    return { message, isDiskFull: /no space left|MDB_MAP_FULL|quota exceeded/i.test(message) };
  }
}
