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
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';

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

  /** `address` is such as `http://localhost:19530`; a token is `user:password`. */
  constructor(address: string, token?: string) {
    const url = new URL(address);
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
        (error: ServiceError | null, answer?: Buffer) => (error === null ? resolve(answer!) : reject(error)),
      );
    });
    const answer = decode(method.response, bytes) as Methods[Name]['response'];
    const status = (method.status === 'self' ? answer : (answer as { status?: Status }).status) as
      | Status
      | undefined;
    if (status !== undefined && (status.code !== 0 || status.errorCode !== 0))
      throw new CallRefused(`${name}: ${status.reason}`);
    return answer;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
