import { MilvusError } from '@elanus/model';
import type { common_Status, Draft } from '@elanus/proto';

/** `common.Status` as a draft: success when every member is at its default. */
export type StatusDraft = Draft<common_Status>;

export const SUCCESS: StatusDraft = {};

/** A success as bytes. It is sent although it is empty: the Node SDK reads a missing status as null. */
export const SUCCESS_STATUS = new Uint8Array(0);

const UNEXPECTED_ERROR = { code: 65535, legacyCode: 1 } as const;

/**
 * What a client is told of a failure: both the numeric and the legacy code, the reason, and whether it is the
 * caller's mistake. A failure that is not a MilvusError is ours: its text stays in the log.
 */
export function statusOf(error: unknown): StatusDraft {
  if (!(error instanceof MilvusError)) {
    const reason = 'unexpected error';
    return { code: UNEXPECTED_ERROR.code, errorCode: UNEXPECTED_ERROR.legacyCode, reason, detail: reason };
  }
  return {
    code: error.code,
    errorCode: error.legacyCode,
    reason: error.message,
    detail: error.message,
    retriable: error.retriable,
    extraInfo: error.inputError ? new Map([['is_input_error', 'true']]) : new Map(),
  };
}
