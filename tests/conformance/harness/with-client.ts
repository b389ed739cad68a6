import type { ElanusProcess } from '@elanus/tests-harness';
import { MilvusClient } from '@zilliz/milvus2-sdk-node';

/** Runs `body` with a client of the Node SDK that tries nothing twice, and closes it. */
export async function withClient<T>(
  { address }: ElanusProcess,
  body: (client: MilvusClient) => Promise<T>,
): Promise<T> {
  const client = new MilvusClient({ address, logLevel: 'error', maxRetries: 0 });
  try {
    return await body(client);
  } finally {
    await client.closeConnection();
  }
}
