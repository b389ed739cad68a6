/**
 * What a client knows of its own writes: for every key, what the last acknowledged operation left and what an
 * unanswered one may have left. After a crash the server must agree with one of them for every key.
 */
export type Value = bigint | 'absent';

export type Operation =
  | { readonly kind: 'insert' | 'upsert'; readonly keys: readonly bigint[]; readonly value: bigint }
  | { readonly kind: 'delete'; readonly keys: readonly bigint[] };

export class Ledger {
  readonly #acknowledged = new Map<bigint, bigint>();
  readonly #unanswered = new Map<bigint, Value>();
  readonly #unansweredOperations = new Set<Operation>();
  readonly #refused = new Set<bigint>();

  /** Before an operation is sent: from now on its effect may be there. One operation at a time may hold a key. */
  sent(operation: Operation): void {
    this.#unansweredOperations.add(operation);
    for (const key of operation.keys) this.#unanswered.set(key, effectOf(operation));
  }

  acknowledged(operation: Operation): void {
    this.#unansweredOperations.delete(operation);
    for (const key of operation.keys) {
      this.#unanswered.delete(key);
      this.#settle(key, effectOf(operation));
    }
  }

  /** The server answered with an error: the operation must have had no effect. */
  refused(operation: Operation): void {
    this.#unansweredOperations.delete(operation);
    for (const key of operation.keys) {
      this.#unanswered.delete(key);
      if (!this.#acknowledged.has(key)) this.#refused.add(key);
    }
  }

  /** Keys known to be there and not held by an unanswered operation. */
  settledKeys(): bigint[] {
    return [...this.#acknowledged.keys()].filter((key) => !this.#unanswered.has(key));
  }

  /**
   * Compares with all rows that the server holds after a restart and adopts what it decided about unanswered
   * operations. Returns one sentence for every disagreement.
   */
  reconcile(rows: readonly { readonly key: bigint; readonly value: bigint }[]): string[] {
    const complaints: string[] = [];
    const found = new Map<bigint, bigint>();
    for (const { key, value } of rows) {
      if (found.has(key)) complaints.push(`key ${key} is there twice`);
      found.set(key, value);
    }
    for (const [key, value] of found) {
      const wanted = this.#acknowledged.get(key);
      const possible = this.#unanswered.get(key);
      if (value === wanted || value === possible) continue;
      const reason = this.#refused.has(key) ? 'it was refused' : `acknowledged was ${wanted ?? 'nothing'}`;
      complaints.push(`key ${key} holds ${value}, but ${reason}`);
    }
    for (const [key, value] of this.#acknowledged) {
      if (!found.has(key) && this.#unanswered.get(key) !== 'absent') {
        complaints.push(`key ${key} is lost, it was acknowledged with ${value}`);
      }
    }
    for (const operation of this.#unansweredOperations) {
      const done = operation.keys.filter(
        (key) => (found.get(key) ?? 'absent') === effectOf(operation),
      ).length;
      if (done !== 0 && done !== operation.keys.length) {
        complaints.push(
          `an unanswered ${operation.kind} of ${operation.keys.length} keys is there for ${done} of them`,
        );
      }
    }
    this.#unansweredOperations.clear();
    for (const key of this.#unanswered.keys()) this.#settle(key, found.get(key) ?? 'absent');
    this.#unanswered.clear();
    return complaints;
  }

  #settle(key: bigint, value: Value): void {
    if (value === 'absent') this.#acknowledged.delete(key);
    else this.#acknowledged.set(key, value);
  }
}

function effectOf(operation: Operation): Value {
  return operation.kind === 'delete' ? 'absent' : operation.value;
}
