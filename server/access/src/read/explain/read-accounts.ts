import type { CollectionId, CollectionInfo } from '@elanus/model';
import type { ExplainLevel } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import { withExplanation } from '../../wire/with-explanation.ts';
import type { ExplainedRequest } from './explanation-json.ts';
import { ReadAccount } from './read-account.ts';

/** How long the reads of a collection are explained after one of them was slow. */
const WATCHED_MS = 60_000;

/** A request that is being answered. */
export interface AnsweredRead {
  readonly request: ExplainedRequest;
  readonly collection: CollectionInfo;
  /** When the request came, by the monotonic clock. */
  readonly beganMs: number;
}

/**
 * Opens the accounts of reads that are to be explained, closes them with the answer, and logs reads that were slow. A
 * slow read that nobody asked to explain makes those of its collection be explained for a minute, so that the next
 * slow one is logged with all that is known of it.
 */
export class ReadAccounts {
  readonly #dependencies: Pick<AccessDependencies, 'clock' | 'logger' | 'limits'>;
  /** Until when, by the monotonic clock, reads of a collection are explained for the log. */
  readonly #watchedUntil = new Map<CollectionId, number>();

  constructor(dependencies: Pick<AccessDependencies, 'clock' | 'logger' | 'limits'>) {
    this.#dependencies = dependencies;
  }

  /** The account of a read; `null` when nobody wants one. What has passed since it began was spent on its plan. */
  open(asked: ExplainLevel | null, read: AnsweredRead): ReadAccount | null {
    const level = asked ?? (this.#watchedUntil.size > 0 ? this.#levelOfWatched(read) : null);
    if (level === null) return null;
    const account = new ReadAccount(level, { ...read, isAsked: asked !== null }, this.#dependencies.clock);
    account.lap('plan');
    return account;
  }

  /** The answer, with the account if the client has asked for it. */
  close(account: ReadAccount | null, read: AnsweredRead, answer: Uint8Array): Uint8Array {
    account?.lap('encode');
    const { clock, limits } = this.#dependencies;
    const ms = clock.monotonicMs() - read.beganMs;
    if (account === null && ms < limits.slowQueryMs) return answer;
    const explanation = account?.toJson() ?? null;
    this.#log(read, ms, account?.isAsked ?? false, explanation);
    return account?.isAsked ? withExplanation(answer, explanation!) : answer;
  }

  #levelOfWatched({ collection, beganMs }: AnsweredRead): ExplainLevel | null {
    const until = this.#watchedUntil.get(collection.id);
    if (until === undefined) return null;
    if (beganMs <= until) return 'explain';
    this.#watchedUntil.delete(collection.id);
    return null;
  }

  #log(
    { request, collection, beganMs }: AnsweredRead,
    ms: number,
    isAsked: boolean,
    explanation: string | null,
  ): void {
    const { logger, limits } = this.#dependencies;
    const isSlow = ms >= limits.slowQueryMs;
    if (isSlow) this.#watchedUntil.set(collection.id, beganMs + ms + WATCHED_MS);
    if (!isSlow && !isAsked) return;
    const fields = {
      method: request,
      database: collection.databaseName,
      collection: collection.name,
      ms: Math.round(ms * 1000) / 1000,
      explain: explanation,
    };
    if (isSlow) logger.warn(fields, 'a slow query');
    else logger.info(fields, 'an explained query');
  }
}
