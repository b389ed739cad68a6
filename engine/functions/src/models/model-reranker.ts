import { functionFailed, invalidParameter } from '@elanus/model';
import { inOrder, itemsOf, memberOf } from './answer.ts';
import { bearer } from './embedding-service.ts';
import type { FunctionParams } from './function-params.ts';
import type { ModelClient, ModelRequest } from './model-client.ts';
import { type ModelSettings, USUAL_PROVIDER } from './model-settings.ts';
import { allowedEndpoint, requiredSecret, type SecretSource, secretOf } from './secrets.ts';

/** How one provider is asked how well texts answer a query. */
interface RerankService {
  readonly textsMax: number;
  request(query: string, texts: readonly string[]): ModelRequest;
  /** The scores in an answer, in the order of the texts: whatever stands where they should be. */
  scores(answer: unknown): readonly unknown[];
}

type OpenRerankService = (source: SecretSource) => RerankService;

const TEXTS_MAX_OF_OWN = 32;
const TEXTS_MAX_OF_MAKERS = 128;
const DIRECTIONS = ['Left', 'Right'];

const SERVICES: Readonly<Record<string, OpenRerankService>> = {
  vllm: openVllm,
  tei: openTei,
  siliconflow: (source) =>
    openMaker(source, {
      ...{
        name: 'siliconflow',
        variable: 'MILVUS_SILICONFLOW_API_KEY',
        url: 'https://api.siliconflow.cn/v1/rerank',
      },
      wishes: ({ params }) => counts(params, ['max_chunks_per_doc', 'overlap_tokens']),
    }),
  cohere: (source) =>
    openMaker(source, {
      ...{ name: 'cohere', variable: 'MILVUS_COHERE_API_KEY', url: 'https://api.cohere.com/v2/rerank' },
      wishes: ({ params }) => counts(params, ['max_tokens_per_doc']),
    }),
  voyageai: (source) =>
    openMaker(source, {
      ...{ name: 'voyageai', variable: 'MILVUS_VOYAGEAI_API_KEY', url: 'https://api.voyageai.com/v1/rerank' },
      results: ['data'],
      wishes: ({ params }) => defined({ truncation: params.flag('truncation') }),
    }),
  ali: openAli,
};

export interface ModelRerankerOptions {
  readonly settings: ModelSettings;
  readonly client: Pick<ModelClient, 'post'>;
}

/** Scores texts by how well they answer a query, by asking a model. */
export class ModelReranker {
  readonly #service: RerankService;
  readonly #client: Pick<ModelClient, 'post'>;

  /** @throws MilvusError 1100 for parameters that are wrong, and for secrets and addresses that the server was not given */
  constructor(params: FunctionParams, { settings, client }: ModelRerankerOptions) {
    const named = params.text('provider');
    if (named === undefined) throw invalidParameter('lost rerank params:provider ');
    const name = named.toLowerCase();
    const provider = settings.rerank.get(name) ?? USUAL_PROVIDER;
    if (!provider.isEnabled) throw invalidParameter(`rerank provider: [${name}] is disabled`);
    const open = Object.hasOwn(SERVICES, name) ? SERVICES[name] : undefined;
    if (open === undefined) throw invalidParameter(`unknown rerank model provider:${named}`);
    this.#service = open({ params, provider, settings });
    this.#client = client;
  }

  /**
   * A score for each text, the larger the better.
   * @throws MilvusError 2400 when the service does not answer, or not with a number for each text
   */
  async rerank(
    query: string,
    texts: readonly string[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Float32Array> {
    const scores = new Float32Array(texts.length);
    const { textsMax } = this.#service;
    for (let from = 0; from < texts.length; from += textsMax) {
      const batch = texts.slice(from, from + textsMax);
      const answer = await this.#client.post(this.#service.request(query, batch), options.signal);
      scores.set(checkedScores(this.#service.scores(answer), batch.length), from);
    }
    return scores;
  }
}

function checkedScores(scores: readonly unknown[], count: number): number[] {
  const numbers = scores.filter(
    (score): score is number => typeof score === 'number' && Number.isFinite(score),
  );
  if (numbers.length === count && scores.length === count) return numbers;
  throw functionFailed(`Call Rerank service failed, ${count} docs but got ${numbers.length} scores`);
}

function openVllm(source: SecretSource): RerankService {
  const { params } = source;
  const endpoint = allowedEndpoint(source, 'function.rerank.model.providers.vllm.url');
  const key = secretOf(source, 'apikey', '');
  const wishes = counts(params, ['truncate_prompt_tokens']);
  return {
    textsMax: params.count('max_client_batch_size') ?? TEXTS_MAX_OF_OWN,
    request: (query, documents) => ({
      url: `${endpoint}/rerank`,
      ...bearer(key),
      body: { ...wishes, query, documents },
    }),
    scores: (answer) => relevance(memberOf(answer, 'results')),
  };
}

function openTei(source: SecretSource): RerankService {
  const { params } = source;
  const endpoint = allowedEndpoint(source, 'function.rerank.model.providers.tei.url');
  const key = secretOf(source, 'apikey', '');
  const wishes = defined({
    truncate: params.flag('truncate'),
    truncation_direction: params.word('truncation_direction', DIRECTIONS),
  });
  return {
    textsMax: params.count('max_client_batch_size') ?? TEXTS_MAX_OF_OWN,
    request: (query, texts) => ({
      url: `${endpoint}/rerank`,
      ...bearer(key),
      body: { ...wishes, query, texts },
    }),
    scores: (answer) => inOrder(itemsOf(answer), 'index').map((item) => memberOf(item, 'score')),
  };
}

interface Maker {
  readonly name: string;
  readonly variable: string;
  readonly url: string;
  /** Where an answer has its list; `results` where nothing is said. */
  readonly results?: readonly string[];
  readonly wishes: (source: SecretSource) => object;
}

/** Services that take `documents` beside `query` and `model`. */
function openMaker(source: SecretSource, { name, variable, url, results, wishes }: Maker): RerankService {
  const key = requiredSecret(source, 'apikey', variable);
  const model = requiredModel(source.params, name);
  const more = wishes(source);
  return {
    textsMax: source.params.count('max_client_batch_size') ?? TEXTS_MAX_OF_MAKERS,
    request: (query, documents) => ({
      url: source.provider.url ?? url,
      ...bearer(key),
      body: { ...more, model, query, documents },
    }),
    scores: (answer) => relevance(memberOf(answer, ...(results ?? ['results']))),
  };
}

/** Models of Alibaba. */
function openAli(source: SecretSource): RerankService {
  const key = requiredSecret(source, 'apikey', 'MILVUS_DASHSCOPE_API_KEY');
  const model = requiredModel(source.params, 'ali');
  const url =
    source.provider.url ?? 'https://dashscope.aliyuncs.com/api/v1/services/rerank/text-rerank/text-rerank';
  return {
    textsMax: source.params.count('max_client_batch_size') ?? TEXTS_MAX_OF_MAKERS,
    request: (query, documents) => ({ url, ...bearer(key), body: { model, input: { query, documents } } }),
    scores: (answer) => relevance(memberOf(answer, 'output', 'results')),
  };
}

function relevance(results: unknown): readonly unknown[] {
  return inOrder(results, 'index').map((item) => memberOf(item, 'relevance_score'));
}

function requiredModel(params: FunctionParams, provider: string): string {
  const model = params.text('model_name');
  if (model) return model;
  throw invalidParameter(`${provider} rerank model name is required`);
}

function counts(params: FunctionParams, names: readonly string[]): object {
  return defined(Object.fromEntries(names.map((name) => [name, params.count(name)])));
}

/** The members that have a value. */
function defined(members: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
