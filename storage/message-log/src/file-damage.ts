import type { Timestamp } from '@elanus/model';

/** `damaged`: bytes are there that nobody wrote, or that can't be understood. `missing`: they are not there, or the disk does not give them. */
export type DamageKind = 'damaged' | 'missing';

/** A stretch of a file that is not what was written. */
export interface FileDamage {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly reason: string;
  readonly kind: DamageKind;
}

/** Damage that the survey has found. */
export interface SurveyDamage extends FileDamage {
  /** No record later than this was lost by it; `null`: none at all. */
  readonly lostUpTo: Timestamp | null;
}
