import { readFileSync } from 'node:fs';
import { invalidParameter } from '@elanus/model';
import { itemsOf, memberOf } from '../answer.ts';
import { bearer, type EmbeddingServiceOptions, type OpenEmbeddingService } from '../embedding-service.ts';
import { GoogleAccess, readServiceAccount } from '../google-access.ts';
import { secretOf } from '../secrets.ts';

const TASKS: Readonly<Record<string, { readonly document: string; readonly query: string }>> = {
  DOC_RETRIEVAL: { document: 'RETRIEVAL_DOCUMENT', query: 'RETRIEVAL_QUERY' },
  // What is kept is no code to the model, only what is asked for is.
  CODE_RETRIEVAL: { document: 'RETRIEVAL_DOCUMENT', query: 'CODE_RETRIEVAL_QUERY' },
  STS: { document: 'SEMANTIC_SIMILARITY', query: 'SEMANTIC_SIMILARITY' },
};
const VARIABLE = 'MILVUS_GOOGLE_APPLICATION_CREDENTIALS';

/** Models of Google's cloud. */
export const openVertexAi: OpenEmbeddingService = (options) => {
  const { params, provider, dim, nowMs } = options;
  const named = params.text('task') ?? 'DOC_RETRIEVAL';
  const task = TASKS[named];
  if (task === undefined) throw invalidParameter(`[task param's value: ${named}] is invalid`);
  const location = params.addressPart('location') ?? 'us-central1';
  const project = params.addressPart('projectid') ?? '';
  const model = encodeURIComponent(params.text('model_name') ?? '');
  const place = `projects/${project}/locations/${location}/publishers/google/models/${model}:predict`;
  const url = provider.url ?? `https://${location}-aiplatform.googleapis.com/v1/${place}`;
  const access = new GoogleAccess(readServiceAccount(accountText(options)), nowMs);
  return {
    textsMax: 128,
    request: async (texts, purpose, ask) => {
      const head = bearer(await access.token(ask));
      return {
        url,
        headers: head.headers,
        secrets: [...head.secrets, ...access.secrets],
        body: {
          instances: texts.map((content) => ({ task_type: task[purpose], content })),
          ...(dim === undefined ? {} : { parameters: { outputDimensionality: dim } }),
        },
      };
    },
    vectors: (answer) =>
      itemsOf(memberOf(answer, 'predictions')).map((item) => memberOf(item, 'embeddings', 'values')),
  };
};

/** The configuration holds it in base64, the environment names its file. */
function accountText(options: EmbeddingServiceOptions): string {
  const { params, provider, settings } = options;
  const isNamed = (params.text('credential') ?? provider.credential ?? '') !== '';
  if (isNamed) return Buffer.from(secretOf(options, 'credential_json', '') ?? '', 'base64').toString();
  const path = settings.environment[VARIABLE] ?? settings.environment.MILVUSAI_GOOGLE_APPLICATION_CREDENTIALS;
  if (!path) throw invalidParameter('VetexAI credentials file path is empty');
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw invalidParameter(
      `Vertexai: read credentials file failed, ${(cause as NodeJS.ErrnoException).code}`,
    );
  }
}
