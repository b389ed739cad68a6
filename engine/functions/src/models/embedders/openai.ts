import { invalidParameter } from '@elanus/model';
import { inOrder, memberOf } from '../answer.ts';
import { bearer, type EmbeddingServiceOptions, type OpenEmbeddingService } from '../embedding-service.ts';
import { requiredSecret } from '../secrets.ts';

const URL = 'https://api.openai.com/v1/embeddings';
const TEXTS_MAX = 128;
const AZURE_API_VERSION = '2024-06-01';

export const openOpenAi: OpenEmbeddingService = (options) => {
  const key = requiredSecret(options, 'apikey', 'MILVUS_OPENAI_API_KEY');
  const url = options.provider.url ?? URL;
  return {
    textsMax: TEXTS_MAX,
    request: (input) => ({
      url,
      ...bearer(key),
      body: { ...wishes(options), input, encoding_format: 'float' },
    }),
    vectors: openAiVectors,
  };
};

export const openAzureOpenAi: OpenEmbeddingService = (options) => {
  const key = requiredSecret(options, 'apikey', 'MILVUS_AZURE_OPENAI_API_KEY');
  const deployment = encodeURIComponent(options.params.text('model_name') ?? '');
  const url = `${azureAddress(options)}/openai/deployments/${deployment}/embeddings?api-version=${AZURE_API_VERSION}`;
  const head = { headers: { 'api-key': key }, secrets: [key] };
  return {
    textsMax: TEXTS_MAX,
    request: (input) => ({ url, ...head, body: { ...wishes(options), input, encoding_format: 'float' } }),
    vectors: openAiVectors,
  };
};

/** Others speak like OpenAI. */
export function openAiVectors(answer: unknown): readonly unknown[] {
  return inOrder(memberOf(answer, 'data'), 'index').map((item) => memberOf(item, 'embedding'));
}

function wishes({ params, dim }: EmbeddingServiceOptions): object {
  const user = params.text('user');
  return {
    model: params.text('model_name') ?? '',
    ...(dim === undefined ? {} : { dimensions: dim }),
    ...(user === undefined ? {} : { user }),
  };
}

function azureAddress({ provider, settings }: EmbeddingServiceOptions): string {
  if (provider.url !== null) return provider.url.replace(/\/$/, '');
  const { environment } = settings;
  const name =
    provider.resourceName ??
    environment.MILVUS_AZURE_OPENAI_RESOURCE_NAME ??
    environment.MILVUSAI_AZURE_OPENAI_RESOURCE_NAME ??
    '';
  if (name !== '') return `https://${name}.openai.azure.com`;
  throw invalidParameter(
    'must configure the MILVUS_AZURE_OPENAI_RESOURCE_NAME environment variable in the Milvus service',
  );
}
