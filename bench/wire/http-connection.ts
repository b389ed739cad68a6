/**
 * An HTTP/1.1 client reduced to what a benchmark needs, as `LeanConnection` is one of gRPC: one TCP connection, a call after the
 * other on it, bodies encoded beforehand. Node's own client takes as long for a small call as a server does, and the client of
 * gRPC beside it would look the quicker for that.
 */
import { connect, type Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

interface Call {
  readonly path: string;
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}

/** One connection, made with the first call and kept. */
export class HttpConnection {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | null = null;
  #received: Buffer = Buffer.alloc(0);
  #call: Call | null = null;

  constructor({ host, port }: { readonly host: string; readonly port: number }) {
    this.#host = host;
    this.#port = port;
  }

  /** A body in, the answer's text out. No other call may be under way. Rejects for an answer whose code is none of a success. */
  post(path: string, body: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#call = { path, resolve, reject };
      this.#socket ??= this.#connected();
      const head =
        `POST ${path} HTTP/1.1\r\nhost: ${this.#host}:${this.#port}\r\n` +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
      this.#socket.cork();
      this.#socket.write(head);
      this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connected(): Socket {
    const socket = connect(this.#port, this.#host);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
    return socket;
  }

  #read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const text = bodyOf(this.#received);
    if (text === null) return;
    this.#received = Buffer.alloc(0);
    const call = this.#call!;
    this.#call = null;
    // `{"code":0` of v2, `{"code":200` of v1.
    if (/"code":(0|200)\b/.test(text)) call.resolve(text);
    else call.reject(new Error(`${call.path}: ${text.slice(0, 200)}`));
  }

  #fail(error: Error): void {
    this.#call?.reject(error);
    this.#call = null;
  }
}

/** The text of an answer's body; `null`: not all of it is there. */
function bodyOf(answer: Buffer): string | null {
  const headEnd = answer.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const head = answer.toString('latin1', 0, headEnd);
  const bodyAt = headEnd + HEAD_END.length;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) return chunked(answer, bodyAt);
  const end = bodyAt + Number(length);
  return answer.length < end ? null : answer.toString('utf8', bodyAt, end);
}

function chunked(answer: Buffer, bodyAt: number): string | null {
  const pieces: Buffer[] = [];
  for (let at = bodyAt; ; ) {
    const sizeEnd = answer.indexOf(LINE_END, at);
    if (sizeEnd < 0) return null;
    const size = Number.parseInt(answer.toString('latin1', at, sizeEnd), 16);
    const begin = sizeEnd + LINE_END.length;
    if (answer.length < begin + size + LINE_END.length) return null;
    if (size === 0) return Buffer.concat(pieces).toString();
    pieces.push(answer.subarray(begin, begin + size));
    at = begin + size + LINE_END.length;
  }
}
