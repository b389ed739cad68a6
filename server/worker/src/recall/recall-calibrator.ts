import type { Kernel } from '@elanus/kernel';
import type { CollectionId, FieldSchema, MetricType } from '@elanus/model';
import type { SearchTask, SegmentCatalog } from '@elanus/rpc';
import type { Clock, Logger, Metrics, Random } from '@elanus/runtime';
import { FilesInUse, type IndexedPiece, measureRecall, openChunks, rowsAsQueries } from '@elanus/segment';
import type { ServedCollection } from '../served-collection.ts';
import type { ServedCollections } from '../served-collections.ts';
import { QuerySamples } from './query-samples.ts';

/** A server is idle when no search has begun for so long. */
const IDLE_MS = 10;
/** On a busy one a batch of queries is measured after so many looks. */
const LOOKS_MAX = 20;
/** Fewer queries say too little: until there are so many, rows stand in for them. */
const QUERIES_MIN = 64;
const ROWS_AS_QUERIES = 256;

export interface RecallCalibratorOptions {
  readonly collections: Pick<ServedCollections, 'find'>;
  readonly kernel: Pick<Kernel, 'exactSearch'>;
  /** Keeps what is measured of indexes in files; left out: it is forgotten with them. */
  readonly catalog?: Pick<SegmentCatalog, 'keepRecalls'>;
  readonly clock: Pick<Clock, 'sleep' | 'monotonicMs'>;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A field whose searches name a recall. */
interface CalibratedField {
  readonly collectionId: CollectionId;
  readonly field: FieldSchema;
  readonly metric: MetricType;
  readonly refineK: number;
  readonly samples: QuerySamples;
  /** Whether what is known was measured with queries that have come. */
  isOfQueries: boolean;
}

/**
 * Finds out, while nothing else is to be done, how far the indexes of a field have to be searched to reach the recalls that
 * searches ask for: each index, number of hits and share of allowed rows by itself, against exact searches, with the queries
 * that have come last.
 */
export class RecallCalibrator implements AsyncDisposable {
  readonly #options: RecallCalibratorOptions;
  readonly #fields = new Map<string, CalibratedField>();
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;
  #searches = 0;

  constructor(options: RecallCalibratorOptions) {
    this.#options = options;
    options.metrics.gauges(
      'elanus_search_recall',
      'Recall that was measured with the effort of the last search, the least of all indexes',
      ['collection', 'field', 'hits', 'allowed_share', 'target'],
      () => this.#recalls(),
    );
  }

  /** Notes that a search begins: measurements wait for it. */
  noteSearch(): void {
    this.#searches += 1;
  }

  /** Keeps the queries of a search with a recall target, and calibrates what such searches lack, in the background. */
  noteTarget(task: SearchTask): void {
    const known = this.#fieldOf(task);
    known.samples.note(task.queries);
    if (!known.isOfQueries && known.samples.count >= QUERIES_MIN) {
      known.isOfQueries = true;
      for (const piece of this.#piecesOf(known)) piece.recalls.renew();
    }
    if (this.#running !== null || this.#closing.signal.aborted) return;
    if (this.#next() === null) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when nothing is measured any more. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  #fieldOf({ collection, field, metric, walk }: SearchTask): CalibratedField {
    const key = `${collection.id}/${field.id}/${metric}/${walk?.refineK ?? 1}`;
    const known = this.#fields.get(key);
    if (known !== undefined) return known;
    const added: CalibratedField = {
      collectionId: collection.id,
      field,
      metric,
      refineK: walk?.refineK ?? 1,
      samples: new QuerySamples(field),
      isOfQueries: false,
    };
    this.#fields.set(key, added);
    return added;
  }

  #served({ collectionId }: CalibratedField): ServedCollection | undefined {
    return this.#options.collections.find(collectionId);
  }

  #piecesOf(known: CalibratedField): readonly IndexedPiece[] {
    const { shards = [] } = this.#served(known) ?? {};
    return shards.flatMap((shard) => shard.vectorIndexes.of(known.field.id).flatMap(({ pieces }) => pieces));
  }

  /** An index that somebody would like to know more about; forgets fields of collections that are gone. */
  #next(): { readonly known: CalibratedField; readonly piece: IndexedPiece } | null {
    for (const [key, known] of this.#fields) {
      if (this.#served(known) === undefined) this.#fields.delete(key);
      const piece = this.#piecesOf(known).find(({ recalls }) => recalls.nextWish !== null);
      if (piece !== undefined) return { known, piece };
    }
    return null;
  }

  async #run(): Promise<void> {
    const { logger } = this.#options;
    for (let next = this.#next(); next !== null && !this.#closing.signal.aborted; next = this.#next()) {
      const wanted = next.piece.recalls.nextWish!;
      try {
        await this.#measure(next.known, next.piece);
      } catch (error) {
        if (this.#closing.signal.aborted || next.piece.isClosed) continue;
        // Such searches stay exact.
        next.piece.recalls.learn(wanted, null);
        logger.warn({ err: error, ...wanted }, 'the recall of an index could not be measured');
      }
    }
  }

  async #measure(known: CalibratedField, piece: IndexedPiece): Promise<void> {
    const { kernel, random, clock, logger } = this.#options;
    const { field, metric, refineK, samples } = known;
    const wanted = piece.recalls.nextWish!;
    const beganMs = clock.monotonicMs();
    using use = new FilesInUse();
    await openChunks(
      piece.runs.flatMap(({ chunk }) => (chunk === null ? [] : [chunk])),
      use,
    );
    if (piece.file?.content !== undefined) await use.add(piece.file.content);
    const queries =
      samples.count >= QUERIES_MIN ? samples.all() : rowsAsQueries({ piece, field }, ROWS_AS_QUERIES, random);
    const pause = async () => {
      await this.#pause();
      if (piece.isClosed) throw new Error('the index is not used any more');
    };
    const curve = await measureRecall(
      { piece, field, metric, wanted, queries, refineK },
      { kernel, random, pause },
    );
    piece.recalls.learn(wanted, curve);
    await this.#keep(known, piece);
    const ms = Math.round(clock.monotonicMs() - beganMs);
    logger.debug(
      { field: field.name, rows: piece.rows, ...wanted, queries: queries.count, ms },
      'recall measured',
    );
  }

  /** An index that is in memory only takes what is known of it along when it gets its file. */
  async #keep({ collectionId, field }: CalibratedField, { file, recalls }: IndexedPiece): Promise<void> {
    const { catalog, logger } = this.#options;
    if (catalog === undefined || file === null) return;
    try {
      await catalog.keepRecalls({ collectionId, id: file.id }, recalls.known);
    } catch (error) {
      logger.warn(
        { err: error, field: field.name },
        'what was measured of an index is not kept over a start',
      );
    }
  }

  /** Resolves when no search has begun for a while, or after some time on a server that is never idle. */
  async #pause(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const before = this.#searches;
      await clock.sleep(IDLE_MS, { signal });
      if (this.#searches === before) return;
    }
  }

  #recalls(): Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]> {
    const lowest = new Map<string, readonly [labels: Readonly<Record<string, string>>, value: number]>();
    for (const known of this.#fields.values()) {
      const collection = this.#served(known)?.info.name;
      if (collection === undefined) continue;
      for (const { recalls } of this.#piecesOf(known))
        for (const { wanted, target, effort } of recalls.used) {
          const labels = {
            collection,
            field: known.field.name,
            hits: String(wanted.hits),
            allowed_share: String(2 ** -wanted.halvings),
            target: String(target),
          };
          const key = Object.values(labels).join('\n');
          const least = Math.min(effort.recall, lowest.get(key)?.[1] ?? 1);
          lowest.set(key, [labels, least]);
        }
    }
    return lowest.values();
  }
}
