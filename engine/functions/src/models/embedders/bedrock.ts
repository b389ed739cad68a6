import { invalidParameter } from '@elanus/model';
import { memberOf } from '../answer.ts';
import { signedHeaders } from '../aws-signature.ts';
import type { OpenEmbeddingService } from '../embedding-service.ts';
import { requiredSecret } from '../secrets.ts';

/** Models of Amazon, which take one text at a time. */
export const openBedrock: OpenEmbeddingService = (options) => {
  const { params, provider, dim, nowMs } = options;
  const keys = {
    id: requiredSecret(options, 'access_key_id', 'MILVUS_BEDROCK_ACCESS_KEY_ID'),
    secret: requiredSecret(options, 'secret_access_key', 'MILVUS_BEDROCK_SECRET_ACCESS_KEY'),
  };
  const region = params.addressPart('region');
  if (region === undefined) throw invalidParameter('missing AWS Service region. Please pass `region` param');
  const model = encodeURIComponent(params.text('model_name') ?? '');
  const base = provider.url?.replace(/\/$/, '') ?? `https://bedrock-runtime.${region}.amazonaws.com`;
  const url = `${base}/model/${model}/invoke`;
  const normalize = params.flag('normalize') ?? true;
  return {
    textsMax: 1,
    request: ([inputText]) => {
      const body = JSON.stringify({
        inputText,
        normalize,
        ...(dim === undefined ? {} : { dimensions: dim }),
      });
      const headers = signedHeaders({ url, body, service: 'bedrock', region, keys, atMs: nowMs() });
      return { url, headers, body, secrets: [keys.secret] };
    },
    vectors: (answer) => [memberOf(answer, 'embedding')],
  };
};
