/**
 * A gRPC client reduced to what a benchmark needs: one TCP connection, requests encoded beforehand,
 * answers handed over as raw message bytes. It speaks just enough HTTP/2 (RFC 9113) to be a correct
 * peer — settings, flow control, pings — and never decodes a header, so that what is measured is
 * the server.
 */
import { connect, type Socket } from 'node:net';

const FRAME = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const;
const SETTING = { initialWindowSize: 4, maxFrameSize: 5 } as const;
const FRAME_HEADER_BYTES = 9;
const WINDOW_BYTES_MAX = 0x7fff_ffff;
const DEFAULT_WINDOW_BYTES = 65_535;

/** A message with gRPC's five-byte prefix, ready to be sent any number of times. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(5 + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

interface Call {
  readonly resolve: (message: Buffer) => void;
  readonly reject: (error: Error) => void;
  received: Buffer[];
  /** Bytes of the request that wait for the server's window. */
  unsent: Buffer | null;
  windowBytes: number;
}

export class LeanConnection {
  readonly #socket: Socket;
  readonly #authority: string;
  readonly #calls = new Map<number, Call>();
  readonly #headerBlocks = new Map<string, Buffer>();
  #nextStream = 1;
  #buffered: Buffer = Buffer.alloc(0);
  #windowBytes = DEFAULT_WINDOW_BYTES;
  #initialWindowBytes = DEFAULT_WINDOW_BYTES;
  #frameBytesMax = 16_384;
  #receivedBytes = 0;

  private constructor(socket: Socket, authority: string) {
    this.#socket = socket;
    this.#authority = authority;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(SETTING.initialWindowSize, 0);
    settings.writeUInt32BE(WINDOW_BYTES_MAX, 2);
    this.#write(FRAME.settings, 0, 0, settings);
    this.#grow(WINDOW_BYTES_MAX - DEFAULT_WINDOW_BYTES);
  }

  static connect(host: string, port: number): Promise<LeanConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host, () => resolve(new LeanConnection(socket, `${host}:${port}`)));
      socket.once('error', reject);
    });
  }

  /** Sends a `framed` request and resolves with the answer's message bytes; rejects on a gRPC error. */
  call(path: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const stream = this.#nextStream;
      this.#nextStream += 2;
      const call: Call = {
        resolve,
        reject,
        received: [],
        unsent: request,
        windowBytes: this.#initialWindowBytes,
      };
      this.#calls.set(stream, call);
      this.#socket.cork();
      this.#write(FRAME.headers, FLAG.endHeaders, stream, this.#headers(path));
      this.#sendData(stream, call);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #headers(path: string): Buffer {
    const known = this.#headerBlocks.get(path);
    if (known) return known;
    const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
    const block = Buffer.concat([
      Buffer.from([0x83, 0x86, 0x04]), // :method POST, :scheme http, then :path as a literal
      text(path),
      Buffer.from([0x01]), // :authority
      text(this.#authority),
      Buffer.from([0x0f, 0x10]), // content-type
      text('application/grpc'),
      Buffer.from([0x00]),
      text('te'),
      text('trailers'),
    ]);
    this.#headerBlocks.set(path, block);
    return block;
  }

  #sendData(stream: number, call: Call): void {
    while (call.unsent) {
      const room = Math.min(call.unsent.length, call.windowBytes, this.#windowBytes, this.#frameBytesMax);
      if (room <= 0) return;
      const chunk = call.unsent.subarray(0, room);
      call.unsent = room === call.unsent.length ? null : call.unsent.subarray(room);
      call.windowBytes -= room;
      this.#windowBytes -= room;
      this.#write(FRAME.data, call.unsent ? 0 : FLAG.endStream, stream, chunk);
    }
  }

  #sendBlocked(): void {
    this.#socket.cork();
    for (const [stream, call] of this.#calls) {
      if (this.#windowBytes <= 0) break;
      if (call.unsent) this.#sendData(stream, call);
    }
    this.#socket.uncork();
  }

  #write(type: number, flags: number, stream: number, payload: Uint8Array): void {
    const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
    header.writeUIntBE(payload.length, 0, 3);
    header[3] = type;
    header[4] = flags;
    header.writeUInt32BE(stream, 5);
    this.#socket.write(header);
    if (payload.length > 0) this.#socket.write(payload);
  }

  #grow(bytes: number): void {
    const increment = Buffer.alloc(4);
    increment.writeUInt32BE(bytes);
    this.#write(FRAME.windowUpdate, 0, 0, increment);
  }

  #read(chunk: Buffer): void {
    let bytes = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    while (bytes.length >= FRAME_HEADER_BYTES) {
      const length = bytes.readUIntBE(0, 3);
      if (bytes.length < FRAME_HEADER_BYTES + length) break;
      const payload = bytes.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + length);
      this.#handle(bytes[3]!, bytes[4]!, bytes.readUInt32BE(5) & 0x7fff_ffff, payload);
      bytes = bytes.subarray(FRAME_HEADER_BYTES + length);
    }
    this.#buffered = bytes;
  }

  #handle(type: number, flags: number, stream: number, payload: Buffer): void {
    switch (type) {
      case FRAME.data:
        this.#receivedBytes += payload.length;
        if (this.#receivedBytes > WINDOW_BYTES_MAX / 4) {
          this.#grow(this.#receivedBytes);
          this.#receivedBytes = 0;
        }
        this.#calls.get(stream)?.received.push(payload);
        if (flags & FLAG.endStream) this.#finish(stream);
        break;
      case FRAME.headers:
        if (flags & FLAG.endStream) this.#finish(stream);
        break;
      case FRAME.settings:
        if (!(flags & FLAG.ack)) this.#adopt(payload);
        break;
      case FRAME.ping:
        if (!(flags & FLAG.ack)) this.#write(FRAME.ping, FLAG.ack, 0, payload);
        break;
      case FRAME.windowUpdate: {
        const grown = payload.readUInt32BE(0);
        if (stream === 0) this.#windowBytes += grown;
        else {
          const call = this.#calls.get(stream);
          if (call) call.windowBytes += grown;
        }
        this.#sendBlocked();
        break;
      }
      case FRAME.rstStream:
        this.#settle(stream, new Error(`the server reset stream ${stream}`));
        break;
      case FRAME.goAway:
        this.#fail(new Error('the server said goodbye'));
        break;
      default:
    }
  }

  #adopt(settings: Buffer): void {
    for (let at = 0; at + 6 <= settings.length; at += 6) {
      const value = settings.readUInt32BE(at + 2);
      switch (settings.readUInt16BE(at)) {
        case SETTING.initialWindowSize:
          for (const call of this.#calls.values()) call.windowBytes += value - this.#initialWindowBytes;
          this.#initialWindowBytes = value;
          break;
        case SETTING.maxFrameSize:
          this.#frameBytesMax = value;
          break;
        default:
      }
    }
    this.#write(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0));
    this.#sendBlocked();
  }

  #finish(stream: number): void {
    const call = this.#calls.get(stream);
    if (!call) return;
    const message = call.received.length === 1 ? call.received[0]! : Buffer.concat(call.received);
    if (message.length < 5) this.#settle(stream, new Error('a gRPC error, no message'));
    else {
      this.#calls.delete(stream);
      call.resolve(message.subarray(5));
    }
  }

  #settle(stream: number, error: Error): void {
    const call = this.#calls.get(stream);
    this.#calls.delete(stream);
    call?.reject(error);
  }

  #fail(error: Error): void {
    for (const stream of [...this.#calls.keys()]) this.#settle(stream, error);
  }
}
