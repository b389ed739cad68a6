import type { FieldId, IndexId } from '@elanus/model';
import { haveSameRows, type PieceLimits, ScalarIndexPieces, type ScalarPiece } from './index-pieces.ts';
import type { ScalarIndexSpec } from './scalar-index.ts';

/** Texts are long: what is built at a time is bounded by what a segment holds. */
const PER_SEGMENT: PieceLimits = { over: 'segment' };

/** The scalar indexes of one collection. */
export class ScalarIndexes {
  readonly #open = new Map<IndexId, ScalarIndexPieces>();

  /** From now on the index can have pieces. */
  open(id: IndexId, { place, kind }: ScalarIndexSpec, limits: PieceLimits = {}): ScalarIndexPieces {
    const pieces = new ScalarIndexPieces(place, { ...limits, ...(kind === 'words' ? PER_SEGMENT : {}) });
    this.#open.set(id, pieces);
    return pieces;
  }

  /** Frees an index. Idempotent. */
  close(id: IndexId): void {
    this.#open.get(id)?.close();
    this.#open.delete(id);
  }

  /** Resolves when what files have of the indexes on these fields is in use; `null`: it is. */
  restored(fields: readonly FieldId[]): Promise<unknown> | null {
    const restoring = [...this.#open.values()]
      .filter(({ place }) => fields.includes(place.fieldId))
      .map(({ restoring }) => restoring)
      .filter((pending) => pending !== null);
    return restoring.length === 0 ? null : Promise.all(restoring);
  }

  /** Those of the fields. */
  on(fields: ReadonlySet<FieldId>): readonly ScalarIndexPieces[] {
    if (this.#open.size === 0) return NONE;
    return [...this.#open.values()].filter(
      ({ place, pieces }) => pieces.length > 0 && fields.has(place.fieldId),
    );
  }
}

const NONE: readonly ScalarIndexPieces[] = [];

/** The pieces that there are, in groups that number the same rows alike. */
export function groupedByRows(
  pieces: readonly (ScalarPiece | undefined)[],
): readonly (readonly ScalarPiece[])[] {
  const groups: ScalarPiece[][] = [];
  for (const piece of pieces) {
    if (piece === undefined) continue;
    const group = groups.find(([first]) => haveSameRows(first!, piece));
    if (group === undefined) groups.push([piece]);
    else group.push(piece);
  }
  return groups;
}
