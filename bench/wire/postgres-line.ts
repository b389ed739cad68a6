/**
 * A client of PostgreSQL reduced to what a benchmark needs, as `lean-connection.ts` is one of gRPC: one connection to a Unix
 * socket, requests encoded beforehand, answers handed over as raw bytes. It speaks version 3.0 of the protocol.
 */
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Line } from './measure.ts';

const PROTOCOL = 3 << 16;
const USER = 'postgres';
const SOCKET = '.s.PGSQL.5432';
const HEADER_BYTES = 5;
const TYPE = { dataRow: 0x44, error: 0x45, ready: 0x5a } as const;
const BINARY = 1;

interface Pending {
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: Error) => void;
  readonly rows: Buffer[];
  error: Error | null;
}

export class PostgresLine implements Line {
  readonly #socket: Socket;
  #pending: Pending | null = null;
  #buffered: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#pending?.reject(error));
    socket.on('close', () => this.#pending?.reject(new Error('the server closed the connection')));
  }

  /** Connects to the server whose socket is in `folder`, which asks for no password. */
  static async connect(folder: string): Promise<PostgresLine> {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const opened = connect(join(folder, SOCKET), () => resolve(opened));
      opened.once('error', reject);
    });
    const line = new PostgresLine(socket);
    const content = Buffer.concat([int32(PROTOCOL), Buffer.from(`user\0${USER}\0database\0${USER}\0\0`)]);
    await line.call('', Buffer.concat([int32(content.length + 4), content]));
    return line;
  }

  /** Resolves with the values of all rows, each with its length before it; rejects when the server does. */
  call(_path: string, frame: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject, rows: [], error: null };
      this.#socket.write(frame);
    });
  }

  /** Runs statements that have no parameters. */
  async run(sql: string): Promise<Buffer> {
    return await this.call('', message('Q', text(sql)));
  }

  /** Runs a `COPY … FROM STDIN` with what `copied` has made. */
  async copy(sql: string, rows: Buffer): Promise<void> {
    // The server reads on behind the statement, without an answer of its own.
    await this.call('', Buffer.concat([message('Q', text(sql)), rows]));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    let bytes = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    while (bytes.length >= HEADER_BYTES) {
      const length = bytes.readInt32BE(1) + 1;
      if (bytes.length < length) break;
      this.#handle(bytes[0]!, bytes.subarray(HEADER_BYTES, length));
      bytes = bytes.subarray(length);
    }
    this.#buffered = bytes;
  }

  #handle(type: number, content: Buffer): void {
    const pending = this.#pending;
    if (pending === null) return;
    if (type === TYPE.dataRow) pending.rows.push(content.subarray(2));
    else if (type === TYPE.error) pending.error = new Error(content.toString().replaceAll('\0', ' '));
    else if (type === TYPE.ready) {
      this.#pending = null;
      if (pending.error === null) pending.resolve(Buffer.concat(pending.rows));
      else pending.reject(pending.error);
    }
  }
}

/** Prepares a statement under a name. */
export function prepare(name: string, sql: string): Buffer {
  return Buffer.concat([message('P', text(name), text(sql), int16(0)), message('S')]);
}

/** Runs a prepared statement; parameters and answers are in the types' own binary form. */
export function execute(name: string, parameters: readonly Uint8Array[]): Buffer {
  const values = parameters.flatMap((value) => [int32(value.length), value]);
  const bind = message(
    'B',
    text(''),
    text(name),
    ...[int16(1), int16(BINARY), int16(parameters.length), ...values, int16(1), int16(BINARY)],
  );
  return Buffer.concat([bind, message('E', text(''), int32(0)), message('S')]);
}

/** Rows for `COPY … FROM STDIN (FORMAT binary)`. */
export function copied(rows: readonly (readonly Uint8Array[])[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), int32(0), int32(0)];
  for (const values of rows)
    parts.push(int16(values.length), ...values.flatMap((value) => [int32(value.length), value]));
  parts.push(int16(-1));
  return Buffer.concat([message('d', ...parts), message('c')]);
}

/** A value of pgvector's type. */
export function vectorValue(values: Float32Array): Buffer {
  const bytes = Buffer.alloc(4 + 4 * values.length);
  bytes.writeInt16BE(values.length, 0);
  for (const [at, value] of values.entries()) bytes.writeFloatBE(value, 4 + 4 * at);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

function message(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(content.length + 4), content]);
}
