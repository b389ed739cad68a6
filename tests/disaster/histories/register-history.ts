/** What a register may hold: the value written last, or nothing. */
export type RegisterValue = number | 'absent';

/** One operation of one client on one register, by a clock that all clients share. */
export interface RegisterOperation {
  readonly client: number;
  /** `write` also stands for a deletion, which writes `absent`. */
  readonly kind: 'write' | 'read';
  /** Written, or read. */
  readonly value: RegisterValue;
  readonly invoked: number;
  /** `null`: nobody knows whether it took effect, or ever will. */
  readonly answered: number | null;
}

/** The operations in one line, for complaints. */
export function told({ client, kind, value, invoked, answered }: RegisterOperation): string {
  return `client ${client} ${kind} ${value} (${invoked.toFixed(3)} to ${answered?.toFixed(3) ?? 'never'})`;
}
