/** One change of a transaction. A `null` value removes the key. */
export interface MetaChange {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** The catalog's store: keys in code-unit order, every commit all or nothing and durable when it resolves. */
export interface MetaStore {
  /** Whether commits may be missing that were acknowledged: what is not here may have been there. Left out: no. */
  readonly isIncomplete?: boolean;
  get(key: string): Promise<Uint8Array | undefined>;
  /** Every pair whose key begins with `prefix`, in order, as of one moment. */
  scan(prefix: string): Promise<readonly (readonly [key: string, value: Uint8Array])[]>;
  commit(changes: readonly MetaChange[]): Promise<void>;
  close(): Promise<void>;
}
