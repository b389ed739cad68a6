import {
  AnonymousCredential,
  BlobServiceClient,
  type BlockBlobClient,
  type ContainerClient,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
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
import { md5Of } from '../remote/checksums.ts';
import { collectBody } from '../remote/collect-body.ts';
import { crcText, METADATA, readCrc } from '../remote/metadata.ts';
import type { AzureSettings } from '../settings/object-store-settings.ts';
import { azureError } from './azure-error.ts';

/** A container of Azure Blob storage. */
export class AzureBucket implements Bucket {
  readonly place: string;
  // Azure allows 50,000 blocks; deletes go one by one, a few at once.
  readonly limits = { partBytes: 8 * 1024 * 1024, partsMax: 50_000, partsAtOnce: 4, deletesMax: 16 };
  readonly #container: ContainerClient;
  readonly #prefix: string;

  constructor({ endpoint, account, accountKey, bucket, prefix }: AzureSettings) {
    const credential =
      accountKey === null ? new AnonymousCredential() : new StorageSharedKeyCredential(account, accountKey);
    const url = endpoint ?? `https://${account}.blob.core.windows.net`;
    // Retries are ours: they know of deadlines, marks and lost answers.
    const service = new BlobServiceClient(url, credential, { retryOptions: { maxTries: 1 } });
    this.#container = service.getContainerClient(bucket);
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.place = `azure ${bucket}/${prefix} at ${url}`;
  }

  prepare({ signal }: AttemptOptions): Promise<void> {
    return translated('', async () => {
      await this.#container.createIfNotExists({ abortSignal: signal });
    });
  }

  put(key: string, bytes: Uint8Array, options: WholeWriteOptions): Promise<ObjectInfo> {
    return translated(key, async () => {
      const { mark, crc32, condition, signal } = options;
      const { etag, lastModified } = await this.#blob(key).upload(bytes, bytes.length, {
        abortSignal: signal,
        metadata: { [METADATA.mark]: mark, [METADATA.crc32]: crcText(crc32) },
        transactionalContentMD5: await md5Of(bytes),
        ...(condition === 'absent' && { conditions: { ifNoneMatch: '*' } }),
      });
      return { key, sizeBytes: bytes.length, etag: etag ?? '', modifiedMs: lastModified?.getTime() ?? 0 };
    });
  }

  get(key: string, { range, allocate, signal }: FetchOptions): Promise<FetchedObject> {
    return translated(key, async () => {
      const options = { abortSignal: signal, maxRetryRequests: 0 };
      const answer = await this.#blob(key).download(range?.offset ?? 0, range?.length, options);
      const length = answer.contentLength ?? 0;
      if (range !== null && length !== range.length) {
        throw new ObjectStoreError('damaged', key, `${length} bytes instead of ${range.length}`);
      }
      const body = answer.readableStreamBody as unknown as AsyncIterable<Uint8Array>;
      const bytes = await collectBody(body, { key, length, allocate, signal });
      return { bytes, crc32: range === null ? readCrc(answer.metadata) : null };
    });
  }

  head(key: string, { signal }: AttemptOptions): Promise<MarkedObject> {
    return translated(key, async () => {
      const found = await this.#blob(key).getProperties({ abortSignal: signal });
      const info: ObjectInfo = {
        key,
        sizeBytes: found.contentLength ?? 0,
        etag: found.etag ?? '',
        modifiedMs: found.lastModified?.getTime() ?? 0,
      };
      return { info, mark: found.metadata?.[METADATA.mark] ?? null };
    });
  }

  list({ prefix, cursor, limit, signal }: PageOptions): Promise<ObjectPage> {
    return translated('', async () => {
      const blobs = this.#container.listBlobsFlat({
        prefix: this.#prefix + prefix,
        abortSignal: signal,
      });
      const pages = blobs.byPage({
        maxPageSize: limit,
        ...(cursor !== null && { continuationToken: cursor }),
      });
      const { value, done } = await pages.next();
      if (done === true) return { objects: [], next: null };
      const objects = value.segment.blobItems.map(({ name, properties }): ObjectInfo => {
        return {
          key: name.slice(this.#prefix.length),
          sizeBytes: properties.contentLength ?? 0,
          etag: quoted(properties.etag),
          modifiedMs: properties.lastModified.getTime(),
        };
      });
      return { objects, next: value.continuationToken ? value.continuationToken : null };
    });
  }

  async deleteMany(keys: readonly string[], { signal }: AttemptOptions): Promise<void> {
    await Promise.all(
      keys.map((key) =>
        translated(key, async () => {
          await this.#blob(key).deleteIfExists({ abortSignal: signal });
        }),
      ),
    );
  }

  /** Blocks that are not committed vanish after a week; there is nothing to begin and nothing to abort. */
  async beginUpload(key: string, { mark }: WriteOptions): Promise<BucketUpload> {
    const blob = this.#blob(key);
    const blocks = new Map<number, string>();
    // Two uploads of one key must not mix their blocks. All ids of a blob have one length.
    const blockId = (index: number) =>
      Buffer.from(`${mark}-${String(index).padStart(5, '0')}`).toString('base64');
    return {
      putPart: (index, bytes, { signal }) =>
        translated(key, async () => {
          const options = { abortSignal: signal, transactionalContentMD5: await md5Of(bytes) };
          await blob.stageBlock(blockId(index), bytes, bytes.length, options);
          blocks.set(index, blockId(index));
        }),
      complete: ({ signal }) =>
        translated(key, async () => {
          const inOrder = [...blocks].sort(([a], [b]) => a - b).map(([, id]) => id);
          await blob.commitBlockList(inOrder, {
            abortSignal: signal,
            metadata: { [METADATA.mark]: mark },
          });
          return (await this.head(key, { signal })).info;
        }),
      abort: async () => {},
    };
  }

  async close(): Promise<void> {}

  #blob(key: string): BlockBlobClient {
    return this.#container.getBlockBlobClient(this.#prefix + key);
  }
}

/** Lists have ETags bare, all other answers in quotes. */
function quoted(etag: string): string {
  return etag.startsWith('"') ? etag : `"${etag}"`;
}

async function translated<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ObjectStoreError ? error : azureError(key, error);
  }
}
