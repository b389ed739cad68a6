import { MilvusError } from '@elanus/model';

/** Codes of the HTTP layer itself (the reference's section 1.2); all others are those of the call behind. */
export const REST_CODE = {
  incorrectJson: 1801,
  missingParameters: 1802,
  insertData: 1804,
  keyType: 1806,
  limited: 1807,
} as const;

export function incorrectJson(detail: string): MilvusError {
  return new MilvusError(
    `can only accept json format request, your request can only contain json data, error: ${detail}`,
    {
      code: REST_CODE.incorrectJson,
      inputError: true,
    },
  );
}

export function missingParameters(detail: string): MilvusError {
  return new MilvusError(`missing required parameters, error: ${detail}`, {
    code: REST_CODE.missingParameters,
    inputError: true,
  });
}

export function badRow(detail: string): MilvusError {
  return new MilvusError(`fail to deal the insert data, error: ${detail}`, {
    code: REST_CODE.insertData,
    inputError: true,
  });
}

export function badKey(detail: string): MilvusError {
  return new MilvusError(`data type of primary key is not supported, error: ${detail}`, {
    code: REST_CODE.keyType,
    inputError: true,
  });
}
