import { Storage } from '@google-cloud/storage';
import type { ObjectInfo, ObjectPage } from '../object-store.ts';
import { ObjectStoreError } from '../object-store-error.ts';
import type {
  AttemptOptions,
  Bucket,
  BucketUpload,
  FetchedObject,
  FetchOptions,
  MarkedObject,
  PageOptions,
  WholeWriteOptions,
  WriteOptions,
} from '../remote/bucket.ts';
import { collectBody } from '../remote/collect-body.ts';
import { crcText, METADATA, readCrc } from '../remote/metadata.ts';
import type { GcsSettings } from '../settings/object-store-settings.ts';
import { gcsError } from './gcs-error.ts';
import { sendResumably } from './resumable-upload.ts';

type GcsBucketHandle = ReturnType<Storage['bucket']>;
type GcsFile = ReturnType<GcsBucketHandle['file']>;

/** The project, when the credentials do not name one: needed only to make a bucket. */
const PROJECT_DEFAULT = 'elanus';

/** A bucket of Google Cloud Storage. Its library can't be told to end a request: what is ended runs on unheeded. */
export class GcsBucket implements Bucket {
  readonly place: string;
  // The parts of a resumable upload come in order; each but the last is a multiple of 256 KiB.
  readonly limits = { partBytes: 8 * 1024 * 1024, partsMax: 100_000, partsAtOnce: 1, deletesMax: 16 };
  readonly #bucket: GcsBucketHandle;
  readonly #prefix: string;

  constructor({ endpoint, credentialsJson, bucket, prefix }: GcsSettings) {
    const storage = new Storage({
      // Retries are ours: they know of deadlines, marks and lost answers.
      retryOptions: { autoRetry: false, maxRetries: 0 },
      ...(endpoint !== null && { apiEndpoint: endpoint, projectId: PROJECT_DEFAULT }),
      ...(credentialsJson !== null && { credentials: JSON.parse(credentialsJson) }),
    });
    this.#bucket = storage.bucket(bucket);
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.place = `gcs ${bucket}/${prefix}${endpoint === null ? '' : ` at ${endpoint}`}`;
  }

  prepare(_options: AttemptOptions): Promise<void> {
    return translated('', async () => {
      const [isThere] = await this.#bucket.exists();
      if (isThere) return;
      await this.#bucket.create().catch((error: unknown) => {
        // Somebody else of us was faster.
        if ((error as { code?: number }).code !== 409) throw error;
      });
    });
  }

  put(key: string, bytes: Uint8Array, options: WholeWriteOptions): Promise<ObjectInfo> {
    return translated(key, async () => {
      const { mark, crc32, condition } = options;
      const file = this.#file(key);
      await file.save(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), {
        resumable: false,
        validation: 'crc32c',
        metadata: { metadata: { [METADATA.mark]: mark, [METADATA.crc32]: crcText(crc32) } },
        ...(condition === 'absent' && { preconditionOpts: { ifGenerationMatch: 0 } }),
      });
      return this.#info(file.metadata);
    });
  }

  get(key: string, { range, allocate, signal }: FetchOptions): Promise<FetchedObject> {
    return translated(key, async () => {
      const file = this.#file(key);
      // The answer's headers are not shown by the library, so that the length has to be asked for.
      const [metadata] = await file.getMetadata();
      const size = Number(metadata.size ?? 0);
      const { offset, length } = range ?? { offset: 0, length: size };
      if (offset + length > size) throw new ObjectStoreError('damaged', key, `it has ${size} bytes only`);
      const crc32 = range === null ? readCrc(metadata.metadata) : null;
      if (length === 0) return { bytes: allocate(0), crc32 };
      const part = range === null ? {} : { start: offset, end: offset + length - 1 };
      const body = file.createReadStream({ validation: false, decompress: false, ...part });
      const end = () => body.destroy(new Error('ended by its reader'));
      signal.addEventListener('abort', end, { once: true });
      try {
        return { bytes: await collectBody(body, { key, length, allocate, signal }), crc32 };
      } finally {
        signal.removeEventListener('abort', end);
        body.destroy();
      }
    });
  }

  head(key: string, _options: AttemptOptions): Promise<MarkedObject> {
    return translated(key, async () => {
      const [metadata] = await this.#file(key).getMetadata();
      const mark = metadata.metadata?.[METADATA.mark];
      return { info: this.#info(metadata), mark: typeof mark === 'string' ? mark : null };
    });
  }

  list({ prefix, cursor, limit }: PageOptions): Promise<ObjectPage> {
    return translated('', async () => {
      const [files, nextQuery] = await this.#bucket.getFiles({
        prefix: this.#prefix + prefix,
        maxResults: limit,
        autoPaginate: false,
        ...(cursor !== null && { pageToken: cursor }),
      });
      const token = (nextQuery as { pageToken?: string } | null)?.pageToken;
      return { objects: files.map((file) => this.#info(file.metadata)), next: token ?? null };
    });
  }

  async deleteMany(keys: readonly string[], _options: AttemptOptions): Promise<void> {
    await Promise.all(
      keys.map((key) =>
        translated(key, async () => {
          await this.#file(key).delete({ ignoreNotFound: true });
        }),
      ),
    );
  }

  beginUpload(key: string, { mark }: WriteOptions): Promise<BucketUpload> {
    return translated(key, async () => {
      const [uri] = await this.#file(key).createResumableUpload({
        metadata: { metadata: { [METADATA.mark]: mark } },
      });
      return sendResumably(uri, { key, head: async (options) => (await this.head(key, options)).info });
    });
  }

  async close(): Promise<void> {}

  #file(key: string): GcsFile {
    return this.#bucket.file(this.#prefix + key);
  }

  #info({ name, size, generation, updated }: GcsFile['metadata']): ObjectInfo {
    return {
      key: (name ?? '').slice(this.#prefix.length),
      sizeBytes: Number(size ?? 0),
      etag: String(generation ?? ''),
      modifiedMs: Date.parse(updated ?? '') || 0,
    };
  }
}

async function translated<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ObjectStoreError ? error : gcsError(key, error);
  }
}
