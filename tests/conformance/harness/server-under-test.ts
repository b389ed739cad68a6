import { ElanusProcess } from '@elanus/tests-harness';

/** Where clients find a server: `host:port` of its gRPC service. */
export interface RunningServer extends AsyncDisposable {
  readonly address: string;
}

/**
 * The server a suite talks to: one from this checkout, or the one that `ELANUS_CONFORMANCE_SERVER`
 * (`host:port`) names, which is how the programs are tried against a real Milvus. The one from here has `environment`
 * beside our own.
 */
export async function serverUnderTest(
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const address = process.env.ELANUS_CONFORMANCE_SERVER;
  if (address === undefined) return await ElanusProcess.start(environment);
  return { address, [Symbol.asyncDispose]: async () => {} };
}
