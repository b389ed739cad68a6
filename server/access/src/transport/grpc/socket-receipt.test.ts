import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { receiveInto } from './socket-receipt.ts';

/** Both ends of a connection. */
async function connected() {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  const close = () => {
    client.destroy();
    server.close();
  };
  return { socket, client, [Symbol.dispose]: close };
}

test('bytes are put into the memory that is given, and none come as data', async () => {
  using ends = await connected();
  const memory = Buffer.alloc(1_000);
  const received: Buffer[] = [];
  const filled = (count: number) => received.push(Buffer.from(memory.subarray(0, count)));
  assert.equal(receiveInto(ends.socket, memory, filled), true, 'this Node can');
  ends.socket.on('data', () => assert.fail('bytes came as data'));
  const message = Buffer.alloc(100_000, 'elanus');
  ends.client.end(message);
  await once(ends.socket, 'end');
  assert.ok(Buffer.concat(received).equals(message));
});

test('what has come before comes as data', async () => {
  using ends = await connected();
  ends.client.write('early');
  await once(ends.socket, 'readable');
  assert.equal(
    receiveInto(ends.socket, Buffer.alloc(10), () => {}),
    false,
  );
  assert.equal(String(ends.socket.read()), 'early');
});
