import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { GRPC_STATUS, GrpcError } from './grpc-status.ts';
import type { ReceivedMessage } from './message-reader.ts';

/** What clients may send, as `grpc-accept-encoding` says it. */
export const ACCEPTED_ENCODINGS = 'identity,deflate,gzip';

const INFLATE_BY_ENCODING = new Map([
  ['gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
]);

/**
 * The message as it was before `encoding` (the header `grpc-encoding`).
 * @throws GrpcError when the encoding is unknown, the bytes are none of it, or more than `bytesMax` come out
 */
export async function inflated(
  { isCompressed, bytes }: ReceivedMessage,
  encoding: string | undefined,
  bytesMax: number,
): Promise<Buffer> {
  if (!isCompressed) return bytes;
  const decode = INFLATE_BY_ENCODING.get(encoding ?? 'identity');
  if (decode === undefined)
    throw new GrpcError(
      GRPC_STATUS.unimplemented,
      `Received message compressed with unsupported encoding "${encoding ?? 'identity'}"`,
    );
  try {
    return await decode(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new GrpcError(
        GRPC_STATUS.resourceExhausted,
        `Received message that decompresses to a size larger than ${bytesMax}`,
      );
    throw new GrpcError(GRPC_STATUS.internal, 'Failed to decompress message');
  }
}
