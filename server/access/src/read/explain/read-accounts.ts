import type { CollectionId, CollectionInfo } from '@elanus/model';
import type { ExplainLevel } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import { EXPLAIN_INFO, LOST_WRITES_INFO, withInfo } from '../../wire/with-info.ts';
import type { ExplainedRequest } from './explanation-json.ts';
import { ReadAccount } from './read-account.ts';

/** How long the reads of a collection are explained after one of them was slow. */
const WATCHED_MS = 60_000;

/** Until when, by the monotonic clock, reads of a collection are explained for the log. */
export type WatchedCollections = Map<CollectionId, number>;

type Dependencies = Pick<AccessDependencies, 'clock' | 'logger' | 'limits' | 'streaming'>;

/**
 * Opens the accounts of reads that are to be explained, closes them with the answer, and logs reads that were slow. A
 * slow read that nobody asked to explain makes those of its collection be explained for a minute, so that the next
 * slow one is logged with all that is known of it.
 */
export class ReadAccounts {
  readonly #dependencies: Dependencies;
  readonly #request: ExplainedRequest;
  readonly #watched: WatchedCollections;

  /** Of one kind of requests; `watched` is shared by all kinds. */
  constructor(dependencies: Dependencies, request: ExplainedRequest, watched: WatchedCollections) {
    this.#dependencies = dependencies;
    this.#request = request;
    this.#watched = watched;
  }

  /**
   * The account of a read that came at `beganMs` of the monotonic clock; `null` when nobody wants one. What has passed since
   * then was spent on its plan.
   */
  open(asked: ExplainLevel | null, collection: CollectionInfo, beganMs: number): ReadAccount | null {
    const level = asked ?? (this.#watched.size > 0 ? this.#levelOfWatched(collection, beganMs) : null);
    if (level === null) return null;
    const about = { request: this.#request, collection, beganMs, isAsked: asked !== null };
    const account = new ReadAccount(level, about, this.#dependencies.clock);
    account.lap('plan');
    return account;
  }

  /** The answer, with the account if the client has asked for it, and with what it lacks because the log has lost it. */
  close(
    account: ReadAccount | null,
    answer: Uint8Array,
    collection: CollectionInfo,
    beganMs: number,
  ): Uint8Array {
    const losses = this.#dependencies.streaming.lossesOf(collection.id);
    const explained = this.#explained(account, answer, collection, beganMs);
    return losses.length === 0 ? explained : withInfo(explained, LOST_WRITES_INFO, losses.join('\n'));
  }

  #explained(
    account: ReadAccount | null,
    answer: Uint8Array,
    collection: CollectionInfo,
    beganMs: number,
  ): Uint8Array {
    account?.lap('encode');
    const { clock, limits } = this.#dependencies;
    const endedMs = clock.monotonicMs();
    const isSlow = endedMs - beganMs >= limits.slowQueryMs;
    if (account === null && !isSlow) return answer;
    if (isSlow) this.#watched.set(collection.id, endedMs + WATCHED_MS);
    const isAsked = account?.isAsked ?? false;
    const explanation = account === null || !(isSlow || isAsked) ? null : account.toJson();
    if (isSlow || isAsked) this.#log(isSlow, collection, endedMs - beganMs, explanation);
    return isAsked ? withInfo(answer, EXPLAIN_INFO, explanation!) : answer;
  }

  #levelOfWatched({ id }: CollectionInfo, beganMs: number): ExplainLevel | null {
    const until = this.#watched.get(id);
    if (until === undefined) return null;
    if (beganMs <= until) return 'explain';
    this.#watched.delete(id);
    return null;
  }

  #log(isSlow: boolean, { databaseName, name }: CollectionInfo, ms: number, explain: string | null): void {
    const { logger } = this.#dependencies;
    const fields = {
      method: this.#request,
      database: databaseName,
      collection: name,
      ms: Math.round(ms * 1000) / 1000,
      explain,
    };
    if (isSlow) logger.warn(fields, 'a slow query');
    else logger.info(fields, 'an explained query');
  }
}
