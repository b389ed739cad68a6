import {
  assert,
  type CollectionSchema,
  fieldById,
  invalidParameter,
  type SchemaFunction,
} from '@elanus/model';
import type { Clock } from '@elanus/runtime';
import type { GrpcOptions } from '../tokenizers/grpc/grpc-analyzer.ts';
import { encodeRequest } from '../tokenizers/grpc/tokenizer-messages.ts';
import type { FunctionParams } from './function-params.ts';
import type { ModelClient } from './model-client.ts';
import { ModelReranker } from './model-reranker.ts';
import type { ModelSettings } from './model-settings.ts';
import { requireAllowed } from './secrets.ts';
import { TextEmbedder } from './text-embedder.ts';

/** The models, and the tokenizers, that whoever runs the server lets it ask. */
export class Models {
  readonly #settings: ModelSettings;
  readonly #client: Pick<ModelClient, 'post'>;
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** Functions stay as they are: a change of a schema makes new ones. */
  readonly #embedders = new WeakMap<SchemaFunction, TextEmbedder>();

  constructor(options: {
    readonly settings: ModelSettings;
    readonly client: Pick<ModelClient, 'post'>;
    readonly clock: Pick<Clock, 'nowMs'>;
  }) {
    this.#settings = options.settings;
    this.#client = options.client;
    this.#clock = options.clock;
  }

  /**
   * What makes the vectors of a function of type TextEmbedding.
   * @throws MilvusError 1100 when its parameters, or what the server was given for them, do not do
   */
  embedderOf(schema: CollectionSchema, made: SchemaFunction): TextEmbedder {
    assert(made.type === 'TextEmbedding', 'only models are asked');
    const known = this.#embedders.get(made);
    if (known !== undefined) return known;
    const field = fieldById(schema, made.output);
    assert(field !== undefined, 'a function has its output');
    const options = { settings: this.#settings, client: this.#client, clock: this.#clock };
    const embedder = new TextEmbedder({ name: made.name, params: made.params, field }, options);
    this.#embedders.set(made, embedder);
    return embedder;
  }

  /** What scores texts for a query. @throws MilvusError 1100 as `embedderOf` */
  reranker(params: FunctionParams): ModelReranker {
    return new ModelReranker(params, { settings: this.#settings, client: this.#client });
  }

  /** @throws MilvusError 1100 for a service that users must not make the server speak to */
  requireTokenizer({ endpoint }: Pick<GrpcOptions, 'endpoint'>): void {
    requireAllowed(endpoint, this.#settings.tokenizers, 'elanus.analyzer.grpc.url');
  }

  /** Asks a tokenizer for the words of one text. @throws MilvusError 1100 when it may not be asked, or does not answer */
  async checkTokenizer(options: GrpcOptions): Promise<void> {
    this.requireTokenizer(options);
    const { endpoint, parameters } = options;
    const { TokenizerService } = await import('../tokenizers/grpc/tokenizer-service.ts');
    try {
      await TokenizerService.at(endpoint).tokenize(encodeRequest('text', parameters));
    } catch (error) {
      throw invalidParameter(
        `failed to connect to gRPC server: ${endpoint}, error: ${(error as Error).message}`,
      );
    }
  }
}
