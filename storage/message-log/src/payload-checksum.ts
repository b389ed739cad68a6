import { setImmediate } from 'node:timers/promises';
import { crc32 } from '@elanus/kernel';

/** As much as is summed at a stretch: about a millisecond. */
const STRETCH_BYTES = 8 * 1024 * 1024;

/** The CRC-32 of the buffers as if they were one. Holds the event loop: for payloads of a few MiB. */
export function payloadChecksum(payload: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of payload) sum = crc32(part, sum);
  return sum;
}

/** The same for payloads of any size: lets others run between stretches. */
export async function longPayloadChecksum(payload: readonly Uint8Array[]): Promise<number> {
  let sum = 0;
  let stretch = 0;
  for (const part of payload) {
    for (let from = 0; from < part.length; from += STRETCH_BYTES) {
      const piece = part.subarray(from, from + STRETCH_BYTES);
      stretch += piece.length;
      if (stretch > STRETCH_BYTES) {
        await setImmediate();
        stretch = piece.length;
      }
      sum = crc32(piece, sum);
    }
  }
  return sum;
}

/** Whether `payloadChecksum` may be used for so many bytes. */
export function isShortPayload(bytes: number): boolean {
  return bytes <= STRETCH_BYTES;
}
