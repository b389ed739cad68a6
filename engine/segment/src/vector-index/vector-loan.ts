import { isDenseVector } from '@elanus/model';
import type { PieceVectors } from './piece-vectors.ts';

/**
 * What an index that was built in memory reads the vectors of its rows from. As long as it lasts the rows are read there
 * by everybody, also when a file has them: so they are not in memory twice.
 */
export class VectorLoan {
  #releases: readonly (() => void)[];

  /** Begins with the build. Indexes over sparse vectors have all that they need when they are built. */
  constructor({ runs, field }: Pick<PieceVectors, 'runs' | 'field'>) {
    this.#releases = isDenseVector(field.elementType ?? field.dataType)
      ? runs.map(({ chunk }) => chunk.hold(field.id))
      : [];
  }

  /** From now on rows that a file has are read from there. Idempotent. */
  end(): void {
    for (const release of this.#releases) release();
    this.#releases = [];
  }
}
