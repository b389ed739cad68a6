import {
  type Draft,
  decode,
  encode,
  type MethodName,
  type Methods,
  methods,
  SERVICE_PATH,
} from '@elanus/proto';
import { systemClock } from '@elanus/runtime';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';

const METHODS = new Map(methods.map((method) => [method.name, method]));
const MESSAGE_BYTES_MAX = 512 * 1024 * 1024;
const CALL_MS_MAX = 120_000;

/** A server has answered, and refused. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
}

interface Status {
  readonly code: number;
  readonly errorCode: number;
  readonly reason: string;
}

/** Calls of Milvus' service, on Milvus or on Elanus: columns stay the bytes that they come as. */
export class MilvusClient implements Disposable {
  readonly #client: Client;
  readonly #token: string | undefined;

  /** `address` is such as `http://localhost:19530`, or without `http://`; a token is `user:password`. */
  constructor(address: string, token?: string) {
    const url = new URL(address.includes('://') ? address : `http://${address}`);
    const channel = url.protocol === 'https:' ? credentials.createSsl() : credentials.createInsecure();
    this.#token = token;
    this.#client = new Client(`${url.hostname}:${url.port || '19530'}`, channel, {
      'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
      'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
    });
  }

  /** @throws CallRefused; ServiceError when there is no server */
  async call<Name extends MethodName>(
    name: Name,
    database: string,
    request: Draft<Methods[Name]['request']>,
  ): Promise<Methods[Name]['response']> {
    const method = METHODS.get(name)!;
    const metadata = new Metadata();
    metadata.set('dbname', database);
    if (this.#token !== undefined) metadata.set('authorization', Buffer.from(this.#token).toString('base64'));
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      this.#client.makeUnaryRequest(
        SERVICE_PATH + name,
        (sent: Buffer) => sent,
        (received: Buffer) => received,
        Buffer.from(encode(method.request, { dbName: database, ...request } as never)),
        metadata,
        { deadline: systemClock.nowMs() + CALL_MS_MAX },
        (error: ServiceError | null, answer?: Buffer) =>
          error === null ? resolve(answer!) : reject(refused(name, error)),
      );
    });
    const answer = decode(method.response, bytes) as Methods[Name]['response'];
    const told = (method.status === 'self' ? answer : (answer as { status?: Status }).status) as
      | Status
      | undefined;
    if (told !== undefined && (told.code !== 0 || told.errorCode !== 0))
      throw new CallRefused(`${name}: ${told.reason}`);
    return answer;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** A server that does not know a call, or is asked for more than it sends, is there and answers. */
function refused(name: string, error: ServiceError): Error {
  const isRefusal = error.code === status.UNIMPLEMENTED || error.code === status.RESOURCE_EXHAUSTED;
  return isRefusal ? new CallRefused(`${name}: ${error.details}`, { cause: error }) : error;
}
