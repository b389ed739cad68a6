import { Agent as HttpsAgent } from 'node:https';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { BuildMiddleware } from '@smithy/types';
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
import type { S3Settings } from '../settings/object-store-settings.ts';
import { s3Error } from './s3-error.ts';

const CONNECTIONS_MAX = 64;

/** A bucket of S3 or of a service that speaks as S3 does. */
export class S3Bucket implements Bucket {
  readonly place: string;
  // Objects of up to 78 GiB.
  readonly limits = { partBytes: 8 * 1024 * 1024, partsMax: 10_000, partsAtOnce: 4, deletesMax: 1_000 };
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(settings: S3Settings) {
    this.#client = new S3Client(clientConfig(settings));
    this.#client.middlewareStack.add(unsignedBody, { step: 'build', name: 'unsignedBody' });
    this.#bucket = settings.bucket;
    this.#prefix = settings.prefix === '' ? '' : `${settings.prefix}/`;
    this.place = `s3 ${settings.bucket}/${settings.prefix} at ${settings.endpoint ?? `AWS ${settings.region}`}`;
  }

  prepare({ signal }: AttemptOptions): Promise<void> {
    return translated('', async () => {
      const Bucket = this.#bucket;
      const isThere = await this.#client
        .send(new HeadBucketCommand({ Bucket }), { abortSignal: signal })
        .then(
          () => true,
          (error: unknown) => {
            if (s3Error('', error).kind === 'missing') return false;
            throw error;
          },
        );
      if (isThere) return;
      await this.#client
        .send(new CreateBucketCommand({ Bucket }), { abortSignal: signal })
        .catch((error: unknown) => {
          // Somebody else of us was faster.
          if ((error as Error).name !== 'BucketAlreadyOwnedByYou') throw error;
        });
    });
  }

  put(key: string, bytes: Uint8Array, options: WholeWriteOptions): Promise<ObjectInfo> {
    return translated(key, async () => {
      const command = new PutObjectCommand({
        ...this.#object(key),
        ...(options.condition === 'absent' && { IfNoneMatch: '*' }),
        Body: bytes,
        ContentLength: bytes.length,
        ContentMD5: (await md5Of(bytes)).toString('base64'),
        Metadata: { [METADATA.mark]: options.mark, [METADATA.crc32]: crcText(options.crc32) },
      });
      await this.#client.send(command, { abortSignal: options.signal });
      return (await this.#head(key, options)).info;
    });
  }

  get(key: string, { range, allocate, signal }: FetchOptions): Promise<FetchedObject> {
    return translated(key, async () => {
      const Range = range === null ? undefined : `bytes=${range.offset}-${range.offset + range.length - 1}`;
      const command = new GetObjectCommand({ ...this.#object(key), Range });
      const { Body, ContentLength, Metadata } = await this.#client.send(command, { abortSignal: signal });
      const length = ContentLength ?? 0;
      if (range !== null && length !== range.length) {
        throw new ObjectStoreError('damaged', key, `${length} bytes instead of ${range.length}`);
      }
      const body = Body as AsyncIterable<Uint8Array>;
      const bytes = await collectBody(body, { key, length, allocate, signal });
      return { bytes, crc32: range === null ? readCrc(Metadata) : null };
    });
  }

  head(key: string, options: AttemptOptions): Promise<MarkedObject> {
    return translated(key, () => this.#head(key, options));
  }

  list({ prefix, cursor, limit, signal }: PageOptions): Promise<ObjectPage> {
    return translated('', async () => {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: this.#prefix + prefix,
        MaxKeys: limit,
        ...(cursor !== null && { StartAfter: this.#prefix + cursor }),
      });
      const { Contents = [], IsTruncated } = await this.#client.send(command, { abortSignal: signal });
      const objects = Contents.map((content): ObjectInfo => {
        return {
          key: content.Key!.slice(this.#prefix.length),
          sizeBytes: content.Size ?? 0,
          etag: content.ETag ?? '',
          modifiedMs: content.LastModified?.getTime() ?? 0,
        };
      });
      return { objects, next: IsTruncated === true ? (objects.at(-1)?.key ?? null) : null };
    });
  }

  deleteMany(keys: readonly string[], { signal }: AttemptOptions): Promise<void> {
    return translated('', async () => {
      const Objects = keys.map((key) => ({ Key: this.#prefix + key }));
      const command = new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } });
      const { Errors = [] } = await this.#client.send(command, { abortSignal: signal });
      const refused = Errors.find(({ Code }) => Code !== 'NoSuchKey');
      if (refused === undefined) return;
      const name = refused.Code ?? 'unknown';
      throw s3Error(refused.Key ?? '', Object.assign(new Error(refused.Message ?? name), { name }));
    });
  }

  beginUpload(key: string, options: WriteOptions): Promise<BucketUpload> {
    return translated(key, async () => {
      const object = this.#object(key);
      const Metadata = { [METADATA.mark]: options.mark };
      const begin = new CreateMultipartUploadCommand({ ...object, Metadata });
      const { UploadId } = await this.#client.send(begin, { abortSignal: options.signal });
      const etags = new Map<number, string>();
      return {
        putPart: (index, bytes, { signal }) =>
          translated(key, async () => {
            const part = { ...object, UploadId, PartNumber: index + 1 };
            const body = {
              Body: bytes,
              ContentLength: bytes.length,
              ContentMD5: (await md5Of(bytes)).toString('base64'),
            };
            const sent = await this.#client.send(new UploadPartCommand({ ...part, ...body }), {
              abortSignal: signal,
            });
            etags.set(index, sent.ETag ?? '');
          }),
        complete: ({ signal }) =>
          translated(key, async () => {
            const Parts = [...etags]
              .sort(([a], [b]) => a - b)
              .map(([index, ETag]) => ({ PartNumber: index + 1, ETag }));
            const whole = { ...object, UploadId, MultipartUpload: { Parts } };
            await this.#client.send(new CompleteMultipartUploadCommand(whole), { abortSignal: signal });
            return (await this.#head(key, { signal })).info;
          }),
        abort: ({ signal }) =>
          translated(key, async () => {
            const abort = new AbortMultipartUploadCommand({ ...object, UploadId });
            await this.#client.send(abort, { abortSignal: signal });
          }),
      };
    });
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  #object(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  /** Some services leave size, date or ETag out of the answer to a write: this is what readers will see. */
  async #head(key: string, { signal }: AttemptOptions): Promise<MarkedObject> {
    const found = await this.#client.send(new HeadObjectCommand(this.#object(key)), { abortSignal: signal });
    const info: ObjectInfo = {
      key,
      sizeBytes: found.ContentLength ?? 0,
      etag: found.ETag ?? '',
      modifiedMs: found.LastModified?.getTime() ?? 0,
    };
    return { info, mark: found.Metadata?.[METADATA.mark] ?? null };
  }
}

function clientConfig(settings: S3Settings): S3ClientConfig {
  const { endpoint, region, credentials, usePathStyle, caCertificate } = settings;
  return {
    region,
    forcePathStyle: usePathStyle,
    // Retries are ours: they know of deadlines, marks and lost answers.
    maxAttempts: 1,
    // The library's own checksums make streams that radosgw and others refuse or store as they are. We send MD5.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: 5_000,
      httpsAgent: new HttpsAgent({
        keepAlive: true,
        maxSockets: CONNECTIONS_MAX,
        ca: caCertificate ?? undefined,
      }),
      httpAgent: { keepAlive: true, maxSockets: CONNECTIONS_MAX },
    },
    ...(endpoint !== null && { endpoint }),
    ...(credentials !== null && { credentials }),
  };
}

/**
 * Signs the MD5 of a body instead of its SHA-256, which the library would compute over all of it at a stretch: the
 * service compares the MD5 with what arrived, and the signature covers it.
 */
const unsignedBody: BuildMiddleware<ServiceInputTypes, ServiceOutputTypes> = (next) => async (step) => {
  const { headers } = step.request as { headers?: Record<string, string> };
  if (headers?.['content-md5'] !== undefined) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
  return await next(step);
};

async function translated<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ObjectStoreError ? error : s3Error(key, error);
  }
}
