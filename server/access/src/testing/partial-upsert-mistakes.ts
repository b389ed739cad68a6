import type { Draft, Methods } from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { column, int64s, texts } from './request-drafts.ts';

type UpsertDraft = Draft<Methods['Upsert']['request']>;

const ending = ': invalid parameter';
const levels = column({ fieldName: 'level', scalars: { intData: { data: [1, 2] } } });
const marks = column({
  fieldName: 'marks',
  scalars: { arrayData: { data: [{ doubleData: { data: [1] } }, { doubleData: { data: [2] } }] } },
});

const update = (rest: UpsertDraft = {}): UpsertDraft => ({
  collectionName: 'books',
  numRows: 2,
  fieldsData: [int64s('id', 1n, 2n), levels, marks],
  partialUpdate: true,
  ...rest,
});
const operation = (...fieldOps: readonly { readonly fieldName: string; readonly op: number }[]) =>
  update({ fieldOps });

const [APPEND, REMOVE] = [1, 2];

/** Updates of some fields that cannot be made. */
export const PARTIAL_UPSERT_MISTAKES: readonly Mistake[] = mistakesOf(
  'Upsert',
  (
    [
      [
        'an update without keys',
        update({ fieldsData: [levels] }),
        'the primary key id is required in a partial update',
      ],
      [
        'an update of no rows',
        update({ numRows: 0 }),
        'num_rows should be greater than 0: invalid parameter[expected=invalid num_rows][actual=0]',
      ],
      [
        'an update of a field that there is not',
        update({ collectionName: 'plain', fieldsData: [int64s('id', 1n, 2n), texts('title', 'a', 'b')] }),
        'fieldName title not exist in collection schema, fieldType VarChar, fieldId 0',
      ],
      [
        'an operation on no field',
        operation({ fieldName: 'nothing', op: APPEND }),
        'field_ops: field nothing not exist',
      ],
      [
        'an operation without data',
        operation({ fieldName: 'tags', op: APPEND }),
        'field_ops: field tags has no data',
      ],
      ['an unknown operation', operation({ fieldName: 'marks', op: 9 }), 'field_ops: unknown operation 9'],
      [
        'an operation on a number',
        operation({ fieldName: 'level', op: REMOVE }),
        'field_ops: array operations need an Array field, level is none',
      ],
      [
        'two operations on one field',
        operation({ fieldName: 'marks', op: APPEND }, { fieldName: 'marks', op: REMOVE }),
        'field_ops: duplicated field marks',
      ],
    ] as const
  ).map(
    ([what, request, reason]) =>
      [what, request, 1100, reason.includes('[expected') ? reason : `${reason}${ending}`] as const,
  ),
);
