import { createHash, createHmac } from 'node:crypto';

export interface RequestToSign {
  readonly url: string;
  readonly body: string;
  readonly service: string;
  readonly region: string;
  readonly keys: { readonly id: string; readonly secret: string };
  readonly atMs: number;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SIGNED = 'content-type;host;x-amz-date';

/**
 * The headers that make a POST of JSON one of the owner of `keys` (AWS Signature Version 4).
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signedHeaders({
  url,
  body,
  service,
  region,
  keys,
  atMs,
}: RequestToSign): Record<string, string> {
  const { host, pathname } = new URL(url);
  const time = new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  // Every part of the path is encoded once more, whatever it has in it already.
  const path = pathname.split('/').map(encodeURIComponent).join('/');
  const headers = `content-type:application/json\nhost:${host}\nx-amz-date:${time}\n`;
  const request = ['POST', path, '', headers, SIGNED, sha256(body)].join('\n');
  const toSign = [ALGORITHM, time, scope, sha256(request)].join('\n');
  let key: Buffer = Buffer.from(`AWS4${keys.secret}`);
  for (const part of [day, region, service, 'aws4_request'])
    key = createHmac('sha256', key).update(part).digest();
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  return {
    'content-type': 'application/json',
    'x-amz-date': time,
    authorization: `${ALGORITHM} Credential=${keys.id}/${scope}, SignedHeaders=${SIGNED}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
