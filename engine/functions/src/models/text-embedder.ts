import {
  DataType,
  dataTypeName,
  type FieldSchema,
  functionFailed,
  invalidParameter,
  type KeyValue,
} from '@elanus/model';
import { type Clock, ConcurrencyLimit } from '@elanus/runtime';
import { openBedrock } from './embedders/bedrock.ts';
import { openCohere } from './embedders/cohere.ts';
import { openDashScope } from './embedders/dashscope.ts';
import { openGemini } from './embedders/gemini.ts';
import { openAzureOpenAi, openOpenAi } from './embedders/openai.ts';
import { openSiliconFlow } from './embedders/siliconflow.ts';
import { openTei } from './embedders/tei.ts';
import { openVertexAi } from './embedders/vertexai.ts';
import { openVoyageAi } from './embedders/voyageai.ts';
import type { EmbeddingPurpose, EmbeddingService, OpenEmbeddingService } from './embedding-service.ts';
import { FunctionParams } from './function-params.ts';
import type { ModelClient } from './model-client.ts';
import { type ModelSettings, USUAL_PROVIDER } from './model-settings.ts';

/** The providers of Milvus, in its order, but for `zilliz`, which only its own cloud has. */
const SERVICES: Readonly<Record<string, OpenEmbeddingService>> = {
  openai: openOpenAi,
  azure_openai: openAzureOpenAi,
  dashscope: openDashScope,
  bedrock: openBedrock,
  vertexai: openVertexAi,
  voyageai: openVoyageAi,
  cohere: openCohere,
  siliconflow: openSiliconFlow,
  tei: openTei,
  gemini: openGemini,
};
/** Those that give vectors of int8, too. */
const INT8_SERVICES: readonly string[] = ['cohere', 'voyageai'];
/** Batches of one request that are under way at the same time. */
const BATCHES_AT_ONCE = 4;

/** A function of type TextEmbedding. */
export interface TextEmbedding {
  readonly name: string;
  readonly params: readonly KeyValue[];
  /** Where its vectors go: of type FloatVector or Int8Vector. */
  readonly field: FieldSchema;
}

export interface TextEmbedderOptions {
  readonly settings: ModelSettings;
  readonly client: Pick<ModelClient, 'post'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** Makes vectors of texts by asking a model. */
export class TextEmbedder {
  readonly #name: string;
  readonly #field: FieldSchema;
  readonly #service: EmbeddingService;
  readonly #client: Pick<ModelClient, 'post'>;
  /** More texts are not taken at once. */
  readonly textsMax: number;

  /** @throws MilvusError 1100 for parameters that are wrong, and for secrets and addresses that the server was not given */
  constructor({ name, params, field }: TextEmbedding, { settings, client, clock }: TextEmbedderOptions) {
    const read = new FunctionParams(params);
    const providerName = read.text('provider')?.toLowerCase() ?? '';
    const provider = settings.embedding.get(providerName) ?? USUAL_PROVIDER;
    if (!provider.isEnabled)
      throw invalidParameter(`text embedding model provider [${providerName}] is disabled`);
    const open = Object.hasOwn(SERVICES, providerName) ? SERVICES[providerName] : undefined;
    if (open === undefined) throw unknownProvider(providerName);
    if (field.dataType === DataType.Int8Vector && !INT8_SERVICES.includes(providerName))
      throw mismatch(DataType.FloatVector, field);
    const dim = dimOf(read, field);
    this.#service = open({ params: read, provider, settings, field, dim, nowMs: () => clock.nowMs() });
    this.#name = name;
    this.#field = field;
    this.#client = client;
    this.textsMax = settings.batchFactor * this.#service.textsMax;
  }

  /**
   * The vectors of the texts, one after the other, in the form of the field.
   * @throws MilvusError 1100 for more than `textsMax` texts of a request and for an empty one; 2400 when the service does not answer, or
   *   not as many vectors of as many dimensions as it must: then nothing is known of any of the texts
   */
  async embed(
    texts: readonly string[],
    purpose: EmbeddingPurpose,
    options: { readonly signal?: AbortSignal | undefined; readonly source?: 'request' | 'file' } = {},
  ): Promise<Uint8Array> {
    const what = purpose === 'document' ? 'numRows' : 'nq';
    if (texts.length > this.textsMax && options.source !== 'file')
      throw invalidParameter(
        `${what} [${texts.length}] > function [${this.#name}]'s max batch [${this.textsMax}]`,
      );
    if (texts.includes('')) throw emptyText(purpose);
    const { textsMax } = this.#service;
    const batches = Array.from({ length: Math.ceil(texts.length / textsMax) }, (_, at) =>
      texts.slice(at * textsMax, (at + 1) * textsMax),
    );
    // When one fails the others have nothing left to be asked for.
    const failed = new AbortController();
    const signal =
      options.signal === undefined ? failed.signal : AbortSignal.any([options.signal, failed.signal]);
    const places = new ConcurrencyLimit(BATCHES_AT_ONCE);
    const answers = batches.map((batch) =>
      places.run(async () => {
        signal.throwIfAborted();
        return await this.#embedBatch(batch, purpose, signal);
      }),
    );
    try {
      return Buffer.concat(await Promise.all(answers));
    } catch (error) {
      failed.abort(error);
      await Promise.allSettled(answers);
      options.signal?.throwIfAborted();
      throw error;
    }
  }

  /**
   * Asks for the vector of one text.
   * @throws MilvusError 2400 when the model does not answer, or with vectors that are not those of the field
   */
  async check(options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    await this.embed(['check'], 'document', options);
  }

  async #embedBatch(
    texts: readonly string[],
    purpose: EmbeddingPurpose,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const ask = (request: Parameters<ModelClient['post']>[0]) => this.#client.post(request, signal);
    const answer = await ask(await this.#service.request(texts, purpose, ask));
    return vectorBytes(this.#service.vectors(answer), texts.length, this.#field);
  }
}

/** @throws MilvusError 2400 for anything but `count` vectors of the field */
function vectorBytes(vectors: readonly unknown[], count: number, field: FieldSchema): Uint8Array {
  const dim = field.dim!;
  if (vectors.length !== count) {
    throw functionFailed(
      `get embedding failed, the number of texts and embeddings does not match text:[${count}], embedding:[${vectors.length}]`,
    );
  }
  const values =
    field.dataType === DataType.Int8Vector ? new Int8Array(count * dim) : new Float32Array(count * dim);
  for (const [at, vector] of vectors.entries()) {
    const length = Array.isArray(vector) ? vector.length : 0;
    if (length !== dim)
      throw functionFailed(
        `the required embedding dim is [${dim}], but the embedding obtained from the model is [${length}]`,
      );
    values.set(vector as number[], at * dim);
    // What is no number, or none of the field's, does not come back as it went in.
    const isSound = (vector as unknown[]).every((value, d) => isValue(value, values[at * dim + d]!, field));
    if (!isSound)
      throw functionFailed('get embedding failed, the model answered something else than numbers');
  }
  return new Uint8Array(values.buffer);
}

function isValue(sent: unknown, kept: number, field: FieldSchema): boolean {
  if (typeof sent !== 'number' || !Number.isFinite(kept)) return false;
  return field.dataType === DataType.FloatVector || sent === kept;
}

function dimOf(params: FunctionParams, field: FieldSchema): number | undefined {
  const text = params.text('dim');
  if (text === undefined) return undefined;
  if (!/^[+-]?\d{1,18}$/.test(text))
    throw invalidParameter(`dimension [${text}] provided in Function params is not a valid int`);
  const dim = Number(text);
  if (dim === 0) return undefined;
  if (dim === field.dim) return dim;
  throw invalidParameter(
    `Function output field:[${field.name}]'s dimension [${field.dim}] does not match the dimension [${dim}] provided in Function params.`,
  );
}

function emptyText(purpose: EmbeddingPurpose): Error {
  const where = purpose === 'document' ? 'the input data' : 'the queries';
  return invalidParameter(
    `there is an empty string in ${where}, TextEmbedding function does not support empty text`,
  );
}

function unknownProvider(name: string): Error {
  const known = Object.keys(SERVICES).join(', ');
  return invalidParameter(
    `unsupported text embedding service provider: [${name}] , list of supported [${known}]`,
  );
}

function mismatch(model: DataType, field: FieldSchema): Error {
  return invalidParameter(
    `embedding model output and field type mismatch, model output is ${dataTypeName(model)}, field type is ${dataTypeName(field.dataType)}`,
  );
}
