/** What the writer thread is started with. */
export interface WriterData {
  readonly path: string;
}

/** One transaction. */
export interface WriteRequest {
  readonly id: number;
  readonly changes: readonly { readonly key: Uint8Array; readonly value: Uint8Array | null }[];
}

/** Its outcome: durable, or not there at all. */
export interface WriteReply {
  readonly id: number;
  readonly error: { readonly message: string; readonly isDiskFull: boolean } | null;
}
