import { createRequire } from 'node:module';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import type { Json } from '../harness/program.ts';

const require = createRequire(import.meta.url);
const descriptors = require('@zilliz/milvus2-sdk-node/dist/milvus/proto-json/milvus.base.js') as {
  readonly default: protobuf.INamespace;
};
const root = protobuf.Root.fromJSON(descriptors.default).resolveAll();
const service = root.lookupService('milvus.proto.milvus.MilvusService');

export type Message = Readonly<Record<string, unknown>>;
export type Answer = { readonly [key: string]: Json };

/** The bytes of a message that another message carries as bytes (schemas, query vectors). */
export function encode(type: string, message: Message): Uint8Array {
  const codec = root.lookupType(`milvus.proto.${type}`);
  return codec.encode(codec.fromObject(message)).finish();
}

/** Calls RPCs by their names, with messages as plain objects: nothing of an SDK stands between. */
export class MilvusService implements Disposable {
  readonly #client: Client;

  constructor(address: string) {
    const unlimited = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
    this.#client = new Client(address, credentials.createInsecure(), unlimited);
  }

  async call(rpc: string, request: Message): Promise<Answer> {
    const method = service.methods[rpc];
    if (!method?.resolvedRequestType || !method.resolvedResponseType) throw new Error(`no RPC ${rpc}`);
    const { resolvedRequestType: requestType, resolvedResponseType: responseType } = method;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#client.makeUnaryRequest(
      `/milvus.proto.milvus.MilvusService/${rpc}`,
      (message: Message) => Buffer.from(requestType.encode(requestType.fromObject(message)).finish()),
      (bytes: Buffer) => toAnswer(responseType, bytes),
      request,
      new Metadata(),
      { deadline: Date.now() + 30_000 },
      (error, answer) => (answer === undefined ? reject(error) : resolve(answer)),
    );
    return await promise;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function toAnswer(type: protobuf.Type, bytes: Buffer): Answer {
  // Field by field with its default: what is absent and what is empty are the same on the wire.
  const options = {
    longs: String,
    enums: String,
    bytes: String,
    defaults: true,
    arrays: true,
    objects: true,
  };
  return type.toObject(type.decode(bytes), options) as Answer;
}
