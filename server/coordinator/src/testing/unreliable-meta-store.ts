import type { MetaChange, MetaStore } from '@elanus/meta-store';

/** How a commit goes wrong: refused and nothing stored, or the process dies before or after it is durable. */
export type CommitFault = 'refused' | 'crash before' | 'crash after';

/** A meta store in memory that outlives the "process", and fails one chosen commit. */
export class UnreliableMetaStore implements MetaStore {
  readonly #pairs: Map<string, Uint8Array>;
  #fault: { readonly kind: CommitFault; readonly keyPrefix: string } | null = null;
  #crashed = false;
  /** Keys of each commit that was stored, oldest first. */
  readonly commits: (readonly string[])[] = [];

  constructor(pairs = new Map<string, Uint8Array>()) {
    this.#pairs = pairs;
  }

  /** Arms a fault for the next commit that touches a key with `keyPrefix`; `null` disarms it. */
  failNext(kind: CommitFault | null, keyPrefix = ''): void {
    this.#fault = kind === null ? null : { kind, keyPrefix };
  }

  /** Ends this process, whatever it still has under way, and begins one on the same pairs. */
  restart(): UnreliableMetaStore {
    this.#crashed = true;
    return new UnreliableMetaStore(this.#pairs);
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  /** Puts bytes under a key behind everybody's back. */
  overwrite(key: string, bytes: Uint8Array): void {
    this.#pairs.set(key, bytes);
  }

  keys(): readonly string[] {
    return [...this.#pairs.keys()].sort();
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#checkAlive();
    return this.#pairs.get(key);
  }

  async scan(prefix: string): Promise<readonly (readonly [key: string, value: Uint8Array])[]> {
    this.#checkAlive();
    return this.keys()
      .filter((key) => key.startsWith(prefix))
      .map((key) => [key, this.#pairs.get(key)!] as const);
  }

  async commit(changes: readonly MetaChange[]): Promise<void> {
    this.#checkAlive();
    await Promise.resolve();
    const fault = this.#takeFault(changes);
    if (fault === 'crash before' || fault === 'crash after') this.#crashed = true;
    if (fault !== 'refused' && fault !== 'crash before') this.#store(changes);
    if (fault !== null) throw new Error(`commit: ${fault}`);
  }

  async close(): Promise<void> {}

  #takeFault(changes: readonly MetaChange[]): CommitFault | null {
    const fault = this.#fault;
    if (fault === null || !changes.some(({ key }) => key.startsWith(fault.keyPrefix))) return null;
    this.#fault = null;
    return fault.kind;
  }

  #store(changes: readonly MetaChange[]): void {
    this.commits.push(changes.map(({ key }) => key));
    for (const { key, value } of changes) {
      if (value === null) this.#pairs.delete(key);
      else this.#pairs.set(key, value.slice());
    }
  }

  #checkAlive(): void {
    if (this.#crashed) throw new Error('the process has crashed');
  }
}
