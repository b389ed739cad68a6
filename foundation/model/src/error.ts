/** `common.ErrorCode`, the legacy enum that old clients and the Node SDK read, by its wire names. */
export const LegacyCode = {
  Success: 0,
  UnexpectedError: 1,
  CollectionNotExists: 4,
  IllegalArgument: 5,
  MetaFailed: 15,
  IndexNotExist: 25,
  ForceDeny: 48,
  RateLimit: 49,
  InsufficientMemoryToLoad: 52,
  NotReadyServe: 56,
  SchemaMismatch: 62,
} as const;
export type LegacyCode = (typeof LegacyCode)[keyof typeof LegacyCode];

export interface MilvusErrorOptions {
  readonly code: number;
  readonly legacyCode?: LegacyCode;
  /** The caller may try the same request again. */
  readonly retriable?: boolean;
  /** The caller's mistake, not ours or the world's. */
  readonly inputError?: boolean;
  readonly cause?: unknown;
}

/**
 * A failure that a client is told about: its numeric code, its legacy code and its text, as Milvus
 * has them. The edge turns it into a Status exactly once; everything else that is thrown is ours
 * to fix and reaches the client as code 65535.
 */
export class MilvusError extends Error {
  override readonly name = 'MilvusError';
  readonly code: number;
  readonly legacyCode: LegacyCode;
  readonly retriable: boolean;
  readonly inputError: boolean;

  constructor(reason: string, options: MilvusErrorOptions) {
    super(reason, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.legacyCode = options.legacyCode ?? LegacyCode.UnexpectedError;
    this.retriable = options.retriable ?? false;
    this.inputError = options.inputError ?? false;
  }

  /** The same failure with `context: ` in front of its text. */
  within(context: string): MilvusError {
    return new MilvusError(`${context}: ${this.message}`, {
      code: this.code,
      legacyCode: this.legacyCode,
      retriable: this.retriable,
      inputError: this.inputError,
      cause: this,
    });
  }
}

/** Nearly all validation: code 1100, IllegalArgument, with Milvus' own ending. */
export function invalidParameter(message: string): MilvusError {
  return invalidInput(`${message}: invalid parameter`);
}

/** Code 1100 with exactly this text, for the messages whose ending Milvus words otherwise. */
export function invalidInput(reason: string): MilvusError {
  return new MilvusError(reason, { code: 1100, legacyCode: LegacyCode.IllegalArgument, inputError: true });
}

/** `[message: ]invalid parameter[expected=X][actual=Y]`. */
export function unexpectedParameter(expected: string, actual: string, message?: string): MilvusError {
  const prefix = message === undefined ? '' : `${message}: `;
  return invalidInput(`${prefix}invalid parameter[expected=${expected}][actual=${actual}]`);
}

/** Code 1101: something required was not sent. */
export function missingParameter(message: string, parameter: string): MilvusError {
  return new MilvusError(`${message}: missing parameter[missing_param=${parameter}]`, {
    code: 1101,
    inputError: true,
  });
}

/** Checks of the coordinators that Milvus 2.6 answers with code 65535 and exactly this text. */
export function refused(reason: string): MilvusError {
  return new MilvusError(reason, { code: 65535 });
}

export function serviceUnimplemented(rpc: string): MilvusError {
  return new MilvusError(`${rpc}: service unimplemented`, { code: 10 });
}

/** Code 2400: a function whose work is done elsewhere did not get it done. */
export function functionFailed(what: string): MilvusError {
  return new MilvusError(`${what}: function failed`, { code: 2400 });
}

export function serviceNotReady(what: string): MilvusError {
  return new MilvusError(`service not ready[${what}]`, {
    code: 1,
    legacyCode: LegacyCode.NotReadyServe,
    retriable: true,
  });
}

export function databaseNotFound(database: string): MilvusError {
  return new MilvusError(`database not found[database=${database}]`, { code: 800 });
}

/** `rule` is in Milvus' words, for example `database name couldn't be empty`. */
export function databaseNameInvalid(database: string, rule: string): MilvusError {
  return new MilvusError(`${rule}: invalid database name[database=${database}]`, {
    code: 802,
    inputError: true,
  });
}

export function tooManyDatabases(limit: number): MilvusError {
  return new MilvusError(`exceeded the limit number of database[limit=${limit}]`, {
    code: 801,
    inputError: true,
  });
}

export function aliasNotFound(database: string, alias: string): MilvusError {
  return new MilvusError(`alias not found[database=${database}][alias=${alias}]`, { code: 1600 });
}

/** Aliases and collections of a database share one space of names. */
export function aliasConflict(database: string, alias: string): MilvusError {
  return new MilvusError(`alias and collection name conflict[database=${database}][alias=${alias}]`, {
    code: 1601,
  });
}

/** The alias stands for `collection`, which is another one than was asked for. */
export function aliasTaken(database: string, alias: string, collection: string): MilvusError {
  return new MilvusError(
    `${alias} is alias to another collection: ${collection}: alias already exist[database=${database}][alias=${alias}]`,
    { code: 1602 },
  );
}

/** The collection of an alias can't be read: its record is damaged. */
export function aliasWithoutCollection(collection: bigint): MilvusError {
  return new MilvusError(`collection id of alias not found[collectionID=${collection}]`, { code: 1603 });
}

export function collectionNotFound(database: string, collection: string): MilvusError {
  return new MilvusError(`collection not found[database=${database}][collection=${collection}]`, {
    code: 100,
    legacyCode: LegacyCode.CollectionNotExists,
    inputError: true,
  });
}

/** What DescribeCollection alone answers: pymilvus and the Node SDK read this very text. */
export function cannotFindCollection(database: string, collection: string): MilvusError {
  return new MilvusError(`can't find collection[database=${database}][collection=${collection}]`, {
    code: 100,
    inputError: true,
  });
}

export function collectionNotLoaded(collection: string): MilvusError {
  return new MilvusError(`collection not loaded[collection=${collection}]`, { code: 101 });
}

export function partitionNotFound(partition: string): MilvusError {
  return new MilvusError(`partition not found[partition=${partition}]`, {
    code: 200,
    legacyCode: LegacyCode.MetaFailed,
  });
}

export function partitionNotLoaded(partition: string): MilvusError {
  return new MilvusError(`partition not loaded[partition=${partition}]`, { code: 201 });
}

export function indexNotFound(key: 'indexName' | 'collection', name: string): MilvusError {
  return new MilvusError(`index not found[${key}=${name}]`, {
    code: 700,
    legacyCode: LegacyCode.IndexNotExist,
  });
}

export function fieldNotFound(field: string): MilvusError {
  return new MilvusError(`field not found[field=${field}]`, { code: 1700 });
}

export function fieldNameInvalid(field: string, message: string): MilvusError {
  return new MilvusError(`${message}: field name invalid[field=${field}]`, { code: 1701 });
}

export function schemaMismatch(collection: string): MilvusError {
  return new MilvusError(`collection schema mismatch[collection=${collection}]`, {
    code: 109,
    legacyCode: LegacyCode.SchemaMismatch,
    inputError: true,
  });
}

/** An administrator or a limit forbids it; the same request may work once that has changed. */
export function quotaExceeded(reason: string): MilvusError {
  return new MilvusError(`quota exceeded[reason=${reason}]`, { code: 9, legacyCode: LegacyCode.ForceDeny });
}

const ROWS_CHANGED = 'rows were changed while they were being updated';

/** A write that was made of rows that are others by now; it may be made again of what they are. */
export function rowsChanged(): MilvusError {
  return new MilvusError(ROWS_CHANGED, { code: 65535, retriable: true });
}

export function isRowsChanged(error: unknown): boolean {
  return error instanceof MilvusError && error.message === ROWS_CHANGED;
}

/** What the files of a load take, what else is loaded, and how much there may be of both. */
export interface LoadNumbers {
  readonly ownBytes: number;
  readonly otherBytes: number;
  readonly bytesMax: number;
}

/** The load of a collection does not fit; it may once others are released, or when it is mapped. */
export function memoryLimitExceeded(
  collection: string,
  { ownBytes, otherBytes, bytesMax }: LoadNumbers,
): MilvusError {
  const predicted = `[predict(MB)=${mib(ownBytes + otherBytes)}][limit(MB)=${mib(bytesMax)}]`;
  return new MilvusError(
    `collection ${collection} takes ${mib(ownBytes)} MB, ${mib(otherBytes)} MB are loaded already, ` +
      `release some or set mmap.enabled to true: memory limit exceeded${predicted}`,
    { code: 3, legacyCode: LegacyCode.InsufficientMemoryToLoad },
  );
}

/** A partition is larger than the copies of a bucket's files may be; it may be loaded once there is more room for them. */
export function cacheLimitExceeded(
  collection: string,
  partition: string,
  { bytes, bytesMax }: { readonly bytes: number; readonly bytesMax: number },
): MilvusError {
  return new MilvusError(
    `partition ${partition} of collection ${collection} takes ${mib(bytes)} MB of the local copies of the bucket's files: ` +
      `disk limit exceeded[predict(MB)=${mib(bytes)}][limit(MB)=${mib(bytesMax)}]`,
    { code: 7 },
  );
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(2);
}

/** The disk is full: nothing was written, the same request may work once there is room. */
export function diskFull(cause: unknown): MilvusError {
  return new MilvusError('disk limit exceeded', { code: 7, cause });
}

/** A file is missing, or not what was written: what depends on it can't be answered, all else can. */
export function dataIntegrity(reason: string, cause: unknown): MilvusError {
  return new MilvusError(`data integrity error[${reason}]`, { code: 1009, cause });
}

/** An import can't be begun, or is not known: the request is to be mended. */
export function importFailed(reason: string): MilvusError {
  return new MilvusError(`${reason}: importing data failed`, { code: 2100, inputError: true });
}
