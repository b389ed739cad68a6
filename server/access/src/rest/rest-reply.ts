import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** An answer: JSON in one piece or several. */
export interface RestReply {
  readonly status: number;
  readonly pieces: readonly string[];
}

/**
 * Sends an answer, a large one piece by piece as the client takes it. Not as a Response of the framework, whose body is a stream
 * even if it is a line. Resolves also when the client has left.
 */
export async function sendReply(response: ServerResponse, { status, pieces }: RestReply): Promise<void> {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  const [only = ''] = pieces;
  if (pieces.length <= 1) {
    response.setHeader('content-length', Buffer.byteLength(only));
    response.end(only);
    return;
  }
  const gone = new AbortController();
  const leave = () => gone.abort();
  response.once('close', leave);
  try {
    for (const piece of pieces) {
      if (response.destroyed) return;
      if (!response.write(piece)) await once(response, 'drain', { signal: gone.signal });
    }
    response.end();
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    response.off('close', leave);
  }
}
