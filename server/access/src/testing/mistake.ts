import type { Draft, MethodName, Methods } from '@elanus/proto';

/** A call as a client makes it: the method, its message, and the database of the header `dbname`. */
export type Call = { [Name in MethodName]: CallOf<Name> }[MethodName];

interface CallOf<Name extends MethodName> {
  readonly method: Name;
  readonly request: Draft<Methods[Name]['request']>;
  /** `default` when it is left out. */
  readonly database?: string;
}

/** What a client is told: `common.Status`, without what follows from its code. */
export interface Told {
  /** 0: the request is odd, but Milvus' clients count on a success that changes nothing. */
  readonly code: number;
  readonly reason: string | RegExp;
  /** `error_code`, where it is not the one that goes with `code`. */
  readonly legacyCode?: number;
}

/** A request that changes nothing, and what its sender is told. */
export type Mistake = Call & { readonly what: string; readonly told: Told };

const LEGACY_CODES: Readonly<Record<number, number>> = {
  0: 0,
  3: 52,
  9: 48,
  100: 4,
  109: 62,
  200: 15,
  700: 25,
  1100: 5,
};
const UNEXPECTED_ERROR = 1;

/** `error_code` of an answer to a mistake. */
export function legacyCodeOf({ told }: Mistake): number {
  return told.legacyCode ?? LEGACY_CODES[told.code] ?? UNEXPECTED_ERROR;
}

const INPUT_ERRORS: ReadonlySet<number> = new Set([
  100, 102, 105, 107, 109, 300, 702, 801, 802, 1100, 1101, 1102, 2100,
]);

/** Whether the answer says, in `extra_info`, that the caller is to blame. */
export function isInputError({ told }: Mistake): boolean {
  return INPUT_ERRORS.has(told.code);
}

export function call<Name extends MethodName>(
  method: Name,
  request: Draft<Methods[Name]['request']>,
  database?: string,
): Call {
  return { method, request, ...(database === undefined ? {} : { database }) } as unknown as Call;
}

/** Adds mistakes of one method to a table: what is wrong, the message, the code and the text. */
export function mistakesOf<Name extends MethodName>(
  method: Name,
  rows: readonly (readonly [
    what: string,
    request: Draft<Methods[Name]['request']>,
    code: number,
    reason: string | RegExp,
  ])[],
): Mistake[] {
  return rows.map(([what, request, code, reason]) => ({
    ...call(method, request),
    what,
    told: { code, reason },
  }));
}
