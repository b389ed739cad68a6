import { performance } from 'node:perf_hooks';
import { LeanConnection } from './lean-connection.ts';
import type { Request } from './messages.ts';
import type { Peer } from './peers.ts';

/** `count` connections, which the caller closes. */
export async function openConnections(peer: Peer, count: number): Promise<readonly LeanConnection[]> {
  return await Promise.all(Array.from({ length: count }, () => LeanConnection.connect(peer.host, peer.port)));
}

/** What requests are sent through, one at a time. */
export interface Line {
  /** Resolves with the bytes of the answer. */
  call(path: string, frame: Buffer): Promise<Buffer>;
  close(): void;
}

/** Opens `count` connections, runs `body`, closes them. */
export async function withConnections<Result>(
  peer: Peer,
  count: number,
  body: (connections: readonly LeanConnection[]) => Promise<Result>,
): Promise<Result> {
  const connections = await openConnections(peer, count);
  try {
    return await body(connections);
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** Sends `requests`, each connection one after the other, and returns how many seconds all of them took. */
export async function drain(
  connections: readonly Line[],
  requests: readonly Request[],
  check: (answer: Buffer) => void,
): Promise<number> {
  let next = 0;
  const startedMs = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      while (next < requests.length) {
        const { path, frame } = requests[next++]!;
        check(await connection.call(path, frame));
      }
    }),
  );
  return (performance.now() - startedMs) / 1000;
}

/** The same for `ms`, over and over, with nothing measured: code that has not run often is slow in every server, and in this client. */
export async function warmUp(
  connections: readonly Line[],
  requests: readonly Request[],
  ms: number,
  check: (answer: Buffer) => void,
): Promise<void> {
  await rateDuring(connections, requests, ms, check);
}

/** The same over and over for `ms`, and no connection ever waits for another; how many requests a second were answered. */
export async function rateDuring(
  connections: readonly Line[],
  requests: readonly Request[],
  ms: number,
  check: (answer: Buffer) => void,
): Promise<number> {
  let sent = 0;
  const startedMs = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() - startedMs < ms) {
        const { path, frame } = requests[sent++ % requests.length]!;
        check(await connection.call(path, frame));
      }
    }),
  );
  return (1000 * sent) / (performance.now() - startedMs);
}

/** The milliseconds of each of `requests`, sent one after the other on one connection. */
export async function latencies(
  connection: Line,
  requests: Iterable<Request>,
  check: (answer: Buffer) => void,
): Promise<number[]> {
  const times: number[] = [];
  for (const { path, frame } of requests) {
    const startedMs = performance.now();
    check(await connection.call(path, frame));
    times.push(performance.now() - startedMs);
  }
  return times;
}

/** The same request `times` times. */
export function* repeat(request: Request, times: number): Generator<Request> {
  for (let at = 0; at < times; at += 1) yield request;
}

/** The same request for as long as `isWanted` says so. */
export function* whilst(request: Request, isWanted: () => boolean): Generator<Request> {
  while (isWanted()) yield request;
}

/** The value below which `share` (0 to 1) of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
