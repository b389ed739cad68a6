import { DataType, type FieldId, type JsonColumn, plainField } from '@elanus/model';
import type { FieldOutput } from '../../wire/output-column.ts';
import type { FusedHit, LegScore } from './fuse-hits.ts';

/** Output fields of a hybrid search that no collection has: what each of its searches says of a hit. */
export const LEG_FIELDS = ['$leg_scores', '$leg_ranks'] as const;
export type LegField = (typeof LEG_FIELDS)[number];

export function isLegField(name: string): name is LegField {
  return LEG_FIELDS.some((field) => field === name);
}

/**
 * One JSON array a hit, in the order of the searches. Of `$leg_scores` the final score is the sum of `normalised` times
 * `weight`, rounded to float32; `$leg_ranks` counts from 1. A search that has not found the row says null.
 */
export function legColumn(
  name: LegField,
  hits: readonly FusedHit[],
  scoring: (hit: FusedHit) => readonly LegScore[],
  vectorFields: readonly string[],
): FieldOutput {
  const texts = hits.map((hit) =>
    JSON.stringify(
      name === '$leg_ranks'
        ? hit.ranks.map((rank) => (rank === 0 ? null : rank))
        : scoring(hit).map((score, leg) => ({ anns_field: vectorFields[leg]!, ...score })),
    ),
  );
  return { field: plainField(0 as FieldId, name, DataType.JSON), column: jsonColumn(texts) };
}

function jsonColumn(texts: readonly string[]): JsonColumn {
  const runs = texts.map((text) => Buffer.from(text));
  const offsets = new Uint32Array(runs.length + 1);
  for (const [at, run] of runs.entries()) offsets[at + 1] = offsets[at]! + run.length;
  return {
    dataType: DataType.JSON,
    length: runs.length,
    validity: null,
    offsets,
    bytes: Buffer.concat(runs),
  };
}
