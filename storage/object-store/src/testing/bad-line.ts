import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import type { Random } from '@elanus/runtime';

export interface BadLine extends AsyncDisposable {
  readonly port: number;
  /** Connections that were cut or went silent. */
  readonly faults: number;
}

/** Of a connection: how far it gets, each way. */
interface Fate {
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** `cut`: the connection is reset; `silent`: bytes go nowhere from then on. */
  readonly end: 'cut' | 'silent';
  readonly delayMs: number;
}

/**
 * A TCP line to a server on this machine that is slow, breaks in the middle of requests and of answers, or goes silent.
 */
export async function badLineTo(port: number, random: Random): Promise<BadLine> {
  let faults = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const fate = drawFate(random);
    const upstream = createConnection({ host: '127.0.0.1', port });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    const onFault = () => {
      faults += 1;
    };
    carry(client, upstream, fate.bytesUp, fate, onFault);
    carry(upstream, client, fate.bytesDown, fate, onFault);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get faults() {
      return faults;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server.close(), 'close');
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Every connection ends some time, most of them soon; some last long enough for a large part. */
function drawFate(random: Random): Fate {
  const reach = (): number => 2 ** (11 + 18 * random.float());
  return {
    bytesUp: reach(),
    bytesDown: reach(),
    end: random.chance(0.8) ? 'cut' : 'silent',
    delayMs: random.below(5),
  };
}

function carry(from: Socket, to: Socket, bytes: number, { end, delayMs }: Fate, onFault: () => void): void {
  let left = bytes;
  from.on('data', (piece: Buffer) => {
    if (left <= 0) return;
    const part = piece.subarray(0, Math.min(piece.length, left));
    left -= piece.length;
    from.pause();
    setTimeout(() => {
      if (!to.destroyed) to.write(part);
      from.resume();
      if (left > 0) return;
      onFault();
      if (end === 'cut') setImmediate(() => to.destroy());
    }, delayMs);
  });
}
