import { itemsOf, memberOf } from '../answer.ts';
import type { OpenEmbeddingService } from '../embedding-service.ts';
import { requiredSecret } from '../secrets.ts';

const URL = 'https://generativelanguage.googleapis.com/v1beta/models';
const TASKS = { document: 'RETRIEVAL_DOCUMENT', query: 'RETRIEVAL_QUERY' } as const;

export const openGemini: OpenEmbeddingService = (options) => {
  const { params, provider, dim } = options;
  const key = requiredSecret(options, 'apikey', 'MILVUS_GEMINI_API_KEY');
  const model = params.text('model_name') ?? '';
  const base = provider.url?.replace(/\/$/, '') ?? URL;
  return {
    textsMax: 100,
    request: (texts, purpose) => ({
      url: `${base}/${encodeURIComponent(model)}:batchEmbedContents`,
      headers: { 'x-goog-api-key': key },
      secrets: [key],
      body: {
        requests: texts.map((text) => ({
          model: `models/${model}`,
          content: { parts: [{ text }] },
          taskType: params.text('task') ?? TASKS[purpose],
          ...(dim === undefined ? {} : { outputDimensionality: dim }),
        })),
      },
    }),
    vectors: (answer) => itemsOf(memberOf(answer, 'embeddings')).map((item) => memberOf(item, 'values')),
  };
};
