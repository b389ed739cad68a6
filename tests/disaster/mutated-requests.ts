/**
 * Sends requests whose bytes were damaged: flipped, cut, doubled, spliced, with numbers blown up. The server may
 * answer what it likes, but it must answer each of them, go on living and not grow without bound.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ElanusProcess } from '@elanus/tests-harness';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { seededRandom } from './seeded-random.ts';

const SERVICE = '/milvus.proto.milvus.MilvusService/';
const IN_FLIGHT = 16;
const ANSWER_WITHIN_MS = 30_000;
const DIM = 8;
const require = createRequire(import.meta.url);
const { default: descriptors } = require('@zilliz/milvus2-sdk-node/dist/milvus/proto-json/milvus.base.js');
const root = protobuf.Root.fromJSON(descriptors);

export interface MutatedRequestsOptions {
  readonly count: number;
  readonly seed: number;
  /** Most the server may grow by, in MiB of resident memory. */
  readonly growthMiBMax: number;
}

/** Returns one sentence for every broken promise; none means all held. */
export async function sendMutatedRequests(options: MutatedRequestsOptions): Promise<string[]> {
  const random = seededRandom(options.seed);
  await using server = await ElanusProcess.start();
  const client = new Client(server.address, credentials.createInsecure());
  const originals = originalRequests();
  await prepare(client, originals);
  const before = residentMiB(server.processId);
  const complaints: string[] = [];
  let sent = 0;
  const sendOne = async () => {
    while (sent < options.count && complaints.length === 0) {
      sent += 1;
      const [method, bytes] = originals[Math.floor(random() * originals.length)]!;
      const mutated = mutate(bytes, random);
      const answer = await call(client, method, mutated);
      if (answer === 'silence') complaints.push(`${method} was not answered: ${hex(mutated)}`);
      if (answer === 'gone') complaints.push(`the server was gone after ${method}: ${hex(mutated)}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, sendOne));
  if ((await call(client, 'GetVersion', new Uint8Array())) !== 'answered')
    complaints.push('the server does not answer');
  const grown = residentMiB(server.processId) - before;
  if (grown > options.growthMiBMax) complaints.push(`the server grew by ${Math.round(grown)} MiB`);
  client.close();
  return complaints.map((text) => `seed ${options.seed}: ${text}`);
}

function call(client: Client, method: string, bytes: Uint8Array): Promise<'answered' | 'silence' | 'gone'> {
  const same = (buffer: Buffer) => buffer;
  return new Promise((settle) => {
    const deadline = Date.now() + ANSWER_WITHIN_MS;
    const done = (error: ServiceError | null) => {
      const code = error?.code ?? 0;
      settle(code === 4 ? 'silence' : code === 14 ? 'gone' : 'answered');
    };
    client.makeUnaryRequest(
      SERVICE + method,
      same,
      same,
      Buffer.from(bytes),
      { deadline } as never,
      done as never,
    );
  });
}

/** One valid request for every RPC that does something, naming a collection that exists. */
function originalRequests(): readonly (readonly [method: string, bytes: Uint8Array])[] {
  const name = { collectionName: 'target' };
  const encode = (type: string, message: object) =>
    root.lookupType(`milvus.proto.${type}`).encode(message).finish();
  const vectors = Float32Array.from({ length: 4 * DIM }, (_, at) => at / 7);
  const fieldsData = [
    { type: 5, fieldName: 'id', scalars: { longData: { data: [1, 2, 3, 4] } } },
    {
      type: 21,
      fieldName: 'text',
      scalars: { stringData: { data: ['a', 'bb', 'ccc', 'dddd'] } },
      validData: [],
    },
    { type: 101, fieldName: 'vector', vectors: { dim: DIM, floatVector: { data: vectors } } },
    {
      type: 23,
      fieldName: '$meta',
      isDynamic: true,
      scalars: {
        jsonData: { data: ['{"a":1}', '{}', '{"b":[1,2]}', '{"a":"x"}'].map((text) => Buffer.from(text)) },
      },
    },
  ];
  const placeholder = encode('common.PlaceholderGroup', {
    placeholders: [{ tag: '$0', type: 101, values: [Buffer.from(vectors.buffer, 0, DIM * 4)] }],
  });
  const schemaOf = (collection: string) =>
    encode('schema.CollectionSchema', {
      name: collection,
      enableDynamicField: true,
      fields: [
        { name: 'id', isPrimaryKey: true, dataType: 5 },
        { name: 'text', dataType: 21, typeParams: [{ key: 'max_length', value: '100' }] },
        { name: 'vector', dataType: 101, typeParams: [{ key: 'dim', value: String(DIM) }] },
      ],
    });
  const search = Object.entries({
    anns_field: 'vector',
    topk: '3',
    params: '{"radius": 100}',
    round_decimal: '2',
  });
  const messages: Readonly<Record<string, object>> = {
    Connect: { clientInfo: { sdkType: 'Python', sdkVersion: '2.6' } },
    CreateCollection: {
      ...name,
      schema: schemaOf('target'),
      shardsNum: 2,
      properties: [{ key: 'timezone', value: 'UTC' }],
    },
    DescribeCollection: name,
    HasCollection: name,
    ShowCollections: { type: 1, collectionNames: ['target'] },
    GetCollectionStatistics: name,
    CreatePartition: { ...name, partitionName: 'p' },
    HasPartition: { ...name, partitionName: 'p' },
    ShowPartitions: name,
    CreateIndex: {
      ...name,
      fieldName: 'vector',
      extraParams: [
        { key: 'index_type', value: 'HNSW' },
        { key: 'metric_type', value: 'L2' },
        { key: 'params', value: '{"M": 16, "efConstruction": 100}' },
      ],
    },
    DescribeIndex: name,
    LoadCollection: { ...name, replicaNumber: 1 },
    LoadPartitions: { ...name, partitionNames: ['_default'] },
    GetLoadingProgress: name,
    GetLoadState: name,
    Insert: { ...name, numRows: 4, fieldsData },
    Upsert: { ...name, numRows: 4, fieldsData },
    Delete: { ...name, expr: 'id in [1, 2] and text like "a%" or a == 1' },
    Search: {
      ...name,
      dsl: 'text != "x" and (a > 1 or id < 5)',
      dslType: 1,
      nq: 1,
      placeholderGroup: placeholder,
      searchParams: search.map(([key, value]) => ({ key, value })),
      outputFields: ['*'],
    },
    Query: {
      ...name,
      expr: 'id in [1, 2, 3] or json_contains(b, 1)',
      outputFields: ['*'],
      queryParams: [{ key: 'limit', value: '10' }],
    },
    Flush: { collectionNames: ['target'] },
    GetFlushState: name,
    AllocTimestamp: {},
    GetIndexState: { ...name, fieldName: 'vector' },
    GetIndexBuildProgress: { ...name, fieldName: 'vector' },
    GetPartitionStatistics: { ...name, partitionName: '_default' },
    ReleasePartitions: { ...name, partitionNames: ['p'] },
    ListDatabases: {},
    // What would take the collection away from all others has one of its own, which comes again.
    RenameCollection: { oldName: 'passing', newName: 'passed' },
    DropPartition: { collectionName: 'passing', partitionName: 'p' },
    DropIndex: { collectionName: 'passing', fieldName: 'vector' },
    ReleaseCollection: { collectionName: 'passing' },
    DropCollection: { collectionName: 'passing' },
  };
  const asked = (pairs: Readonly<Record<string, string>>) =>
    Object.entries(pairs).map(([key, value]) => ({ key, value }));
  const found = { ...name, dslType: 1, nq: 1, placeholderGroup: placeholder };
  const leg = { ...found, searchParams: asked({ anns_field: 'vector', topk: '3' }) };
  const boost = { type: 3, params: asked({ reranker: 'boost', weight: '2', filter: 'id > 1' }) };
  const forms: readonly (readonly [method: string, message: object])[] = [
    ['CreateCollection', { collectionName: 'passing', schema: schemaOf('passing') }],
    [
      'HybridSearch',
      { ...name, requests: [leg, leg], rankParams: asked({ limit: '3', params: '{"k":60}' }) },
    ],
    [
      'HybridSearch',
      {
        ...name,
        requests: [leg, leg],
        rankParams: asked({
          strategy: 'weighted',
          params: '{"weights":[0.5,1]}',
          limit: '3',
          group_by_field: 'text',
        }),
        outputFields: ['$leg_scores'],
      },
    ],
    [
      'Search',
      {
        ...leg,
        searchParams: asked({ topk: '3', group_by_field: 'a', group_size: '2', strict_group_size: 'true' }),
      },
    ],
    ['Search', { ...leg, functionScore: { functions: [boost] } }],
    ['Search', { ...leg, searchAggregation: { fields: ['text'], size: 3, topHits: { size: 2 } } }],
    ['Search', { ...leg, searchParams: asked({ topk: '3', order_by_fields: 'text:desc,id' }) }],
    [
      'Search',
      {
        ...found,
        placeholderGroup: undefined,
        ids: { intId: { data: [3] } },
        searchParams: leg.searchParams,
      },
    ],
    [
      'Search',
      {
        ...leg,
        searchParams: asked({ iterator: 'True', search_iter_v2: 'true', search_iter_batch_size: '2' }),
      },
    ],
    [
      'Query',
      {
        ...name,
        expr: 'id > 0',
        outputFields: ['text', 'count(*)', 'max(id)'],
        queryParams: asked({ group_by_fields: 'text' }),
      },
    ],
    [
      'Query',
      {
        ...name,
        expr: 'id > 0',
        queryParams: asked({ order_by_fields: 'text:asc:nulls_first', limit: '5' }),
      },
    ],
    ['Upsert', { ...name, numRows: 4, fieldsData: [fieldsData[0], fieldsData[3]], partialUpdate: true }],
  ];
  return [...Object.entries(messages), ...forms].map(([method, message]) => [
    method,
    encode(`milvus.${requestType(method)}`, message),
  ]);
}

function requestType(method: string): string {
  return root.lookupService('milvus.proto.milvus.MilvusService').methods[method]!.requestType;
}

async function prepare(client: Client, originals: ReturnType<typeof originalRequests>): Promise<void> {
  for (const method of ['CreateCollection', 'CreateIndex', 'LoadCollection', 'Insert']) {
    await call(client, method, originals.find(([name]) => name === method)![1]);
  }
}

/** One to four damages; a change of a few bytes keeps most requests close to valid, where the deep code is. */
function mutate(original: Uint8Array, random: () => number): Uint8Array {
  let bytes = Buffer.from(original);
  const below = (bound: number) => Math.floor(random() * bound);
  for (let damages = 1 + below(4); damages > 0 && bytes.length > 0; damages -= 1) {
    const at = below(bytes.length);
    switch (below(6)) {
      case 0:
        bytes[at]! ^= 1 << below(8);
        break;
      case 1:
        bytes[at] = [0x00, 0x7f, 0x80, 0xff][below(4)]!;
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(at + 1))]);
        break;
      case 4: // A varint that claims a huge length or number.
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from('ffffffffffffffff7f', 'hex'),
          bytes.subarray(at),
        ]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(8))]);
    }
  }
  return bytes;
}

function residentMiB(processId: number): number {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
