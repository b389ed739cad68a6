import type { ObjectInfo } from '../object-store.ts';
import { ObjectStoreError } from '../object-store-error.ts';
import type { AttemptOptions, BucketUpload } from '../remote/bucket.ts';
import { kindOfStatus } from '../remote/http-error.ts';

interface Target {
  readonly key: string;
  readonly head: (options: AttemptOptions) => Promise<ObjectInfo>;
}

/** Google's word for "go on". */
const RESUME_INCOMPLETE = 308;
const CANCELLED = 499;

/**
 * A resumable upload by its session's address, which needs no credentials. The last part completes it. A part may
 * be sent again: the service passes over bytes that it has. The library has a stream for this, which can neither
 * repeat a part nor be given up in time.
 */
export function sendResumably(uri: string, { key, head }: Target): BucketUpload {
  let offset = 0;
  let nextIndex = 0;
  let lastBytes = 0;
  return {
    async putPart(index, bytes, { isLast, signal }) {
      if (index === nextIndex) {
        offset += lastBytes;
        lastBytes = bytes.length;
        nextIndex += 1;
      }
      const total = isLast ? String(offset + bytes.length) : '*';
      const headers = { 'content-range': `bytes ${offset}-${offset + bytes.length - 1}/${total}` };
      const { status } = await request(key, uri, {
        method: 'PUT',
        headers,
        body: bytes as Uint8Array<ArrayBuffer>,
        signal,
      });
      const isDone = isLast ? status === 200 || status === 201 : status === RESUME_INCOMPLETE;
      if (!isDone) throw new ObjectStoreError(kindOfStatus(status), key, `part ${index}: status ${status}`);
    },
    complete: head,
    async abort({ signal }) {
      const { status } = await request(key, uri, { method: 'DELETE', signal });
      const isGone = status < 300 || status === CANCELLED || status === 404 || status === 410;
      if (!isGone) throw new ObjectStoreError(kindOfStatus(status), key, `abort: status ${status}`);
    },
  };
}

async function request(key: string, uri: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(uri, init);
    await response.arrayBuffer();
    return response;
  } catch (error) {
    throw new ObjectStoreError('unavailable', key, (error as Error).message, error);
  }
}
