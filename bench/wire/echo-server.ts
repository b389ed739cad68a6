/**
 * Answers every gRPC call with the same bytes: as many as the first argument says. What a client reaches with it, it
 * can't exceed with any server. Prints its port.
 */
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { framed } from './lean-connection.ts';

const answer = framed(new Uint8Array(Number(process.argv[2])));
const server = createServer();
server.on('stream', (stream: ServerHttp2Stream) => {
  stream.on('error', () => {});
  stream.resume();
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(answer);
  });
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
process.stdin.resume().on('end', () => process.exit());
