import { assert, type CollectionInfo, importFailed, MilvusError, type PartitionId } from '@elanus/model';
import type {
  ImportCoordinator,
  ImportFile,
  ImportFiles,
  ImportJob,
  ImportUnit,
  ImportWorker,
  RowStage,
} from '@elanus/rpc';
import { wireSchemaOf } from '../definition/wire-schema.ts';
import type { AccessDependencies } from '../handler.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import type { FunctionOptions } from '../write/function-columns.ts';
import { readRows } from '../write/read-rows.ts';
import { splitRows } from '../write/split-rows.ts';
import { defaultPartition, namedPartition } from '../write/write-target.ts';
import { findMistakes } from './find-mistakes.ts';
import { type ImportOptions, readImportOptions } from './import-options.ts';
import { fieldOfFile, kindOf } from './import-units.ts';
import { sharedMemoryOf } from './spare-memory.ts';
import { type ReadRows, UnitReader } from './unit-reader.ts';

/** Rows in memory that become files together. */
const STAGE_BYTES_MAX = 48 * 1024 * 1024;
/** `dataNode.import.maxImportFileSizeInGB`. */
const FILE_BYTES_MAX = 16 * 1024 ** 3;
/** What is told of the rows of one unit that are wrong. */
const MISTAKES_MAX = { import: 10, rehearsal: 100 } as const;

/** What an import works with. */
export interface ImportDependencies
  extends Pick<
    AccessDependencies,
    'root' | 'index' | 'streaming' | 'share' | 'models' | 'clock' | 'logger' | 'metrics' | 'limits'
  > {
  readonly imports: ImportCoordinator;
  readonly importing: ImportWorker;
  readonly files: ImportFiles;
}

/** How far an import is, more often than its record says. */
export interface ImportProgress {
  readonly units: readonly ImportUnit[];
  /** Of what there is to read: 0 to 1. */
  readonly share: number;
}

/** The reading of an import's files: rows are checked as those of an insert, and staged. */
export class ImportRun {
  readonly #dependencies: ImportDependencies;
  readonly #options: ImportOptions;
  readonly #signal: AbortSignal;
  readonly #rowsRead: (rows: number) => void;
  #job: ImportJob;
  #units: ImportUnit[];
  #shareOfUnit = 0;
  #unit = 0;
  /** Of rows that were read, while the next are; and of those before, whose bytes the disk may not have yet. */
  #writing: Promise<void> = Promise.resolve();
  #writingBefore: Promise<void> = Promise.resolve();
  /** Whatever becomes of any of it. */
  #settled: Promise<unknown> = Promise.resolve();
  /** What holds rows that are staged, and what has held rows that are in files. */
  #held: SharedArrayBuffer[] = [];
  #spares: SharedArrayBuffer[] = [];

  constructor(
    job: ImportJob,
    dependencies: ImportDependencies,
    options: { readonly signal: AbortSignal; readonly rowsRead: (rows: number) => void },
  ) {
    this.#job = job;
    this.#units = [...job.units];
    this.#dependencies = dependencies;
    this.#options = readImportOptions(job.options);
    this.#signal = options.signal;
    this.#rowsRead = options.rowsRead;
  }

  get progress(): ImportProgress {
    const total = this.#units.reduce((sum, { bytes }) => sum + Math.max(1, bytes), 0);
    const weightOf = (at: number) => Math.max(1, this.#units[at]?.bytes ?? 1) / total;
    let share = weightOf(this.#unit) * this.#shareOfUnit;
    for (let at = 0; at < this.#unit; at++) share += weightOf(at);
    return { units: this.#units, share: Math.min(1, share) };
  }

  /**
   * Reads what has not been read yet. When it resolves, all rows are in the files of the job's segments.
   * @throws MilvusError for what is wrong with the files, the collection or the time it took
   */
  async read(): Promise<ImportJob> {
    const { importing, root } = this.#dependencies;
    const collection = await root.describeCollectionById(this.#job.collectionId);
    const partition =
      namedPartition(collection, this.#job.partitionName, this.#dependencies.limits) ??
      defaultPartition(collection);
    const stage = importing.stage(collection);
    for (this.#unit = 0; this.#unit < this.#units.length; this.#unit++) {
      const { rows, totalRows } = this.#units[this.#unit]!;
      this.#shareOfUnit = 0;
      if (totalRows === null || rows < totalRows) await this.#readUnit(collection, partition, stage);
    }
    await this.#writeFiles(stage);
    await this.#writing;
    return this.#job;
  }

  /** Resolves when nothing of it is written any more, with or without success. */
  async settled(): Promise<void> {
    await this.#settled;
  }

  async #readUnit(collection: CollectionInfo, partition: PartitionId | null, stage: RowStage): Promise<void> {
    const unit = this.#units[this.#unit]!;
    const opened = await openFiles(unit, this.#dependencies.files);
    const bytes = opened.reduce((sum, { size }) => sum + size, 0);
    this.#note({ bytes });
    const kind = kindOf(unit.paths[0]!);
    await using reader = new UnitReader(
      {
        kind,
        files: opened.map(({ size, descriptor }, at) => ({
          name: kind === 'numpy' ? fieldOfFile(unit.paths[at]!) : '',
          size,
          ...(descriptor === undefined ? {} : { descriptor }),
        })),
        schema: wireSchemaOf(collection),
        separator: this.#options.separator,
        nullText: this.#options.nullText,
        skip: unit.rows,
      },
      opened,
    );
    try {
      await this.#readRows(reader, { collection, partition, stage });
    } catch (error) {
      if (!(error instanceof MilvusError) || this.#signal.aborted) throw error;
      throw new MilvusError(`${unit.paths.join(', ')}: ${error.message}`, { code: error.code, cause: error });
    }
    this.#note({ totalRows: this.#units[this.#unit]!.rows });
  }

  /** While rows are worked on, the next ones are read. */
  async #readRows(reader: UnitReader, target: Target): Promise<void> {
    let upcoming = reader.next(this.#takeSpares());
    for (let read = await upcoming; read !== null; read = await upcoming) {
      this.#throwIfLate();
      if (read.encoded !== null) {
        upcoming = reader.next(this.#takeSpares());
        upcoming.catch(() => {});
      }
      if (reader.totalRows !== null) this.#note({ totalRows: reader.totalRows });
      const isSound = await this.#take(read, target);
      if (read.encoded === null || !isSound) await this.#tellMistakes(read, reader, target.collection);
      if (read.encoded === null) upcoming = reader.next(this.#takeSpares());
      const { rows, bytes, totalRows } = this.#units[this.#unit]!;
      this.#note({ rows: rows + read.rows });
      this.#rowsRead(read.rows);
      this.#shareOfUnit =
        totalRows === null
          ? reader.bytesRead / Math.max(1, bytes)
          : (rows + read.rows) / Math.max(1, totalRows);
      if (target.stage.pendingBytes >= STAGE_BYTES_MAX) await this.#writeFiles(target.stage);
    }
  }

  get #readOptions(): FunctionOptions {
    return { signal: this.#signal, source: 'file' };
  }

  /** Checks rows and stages them; false when some of them are wrong. */
  async #take({ encoded }: ReadRows, { collection, partition, stage }: Target): Promise<boolean> {
    if (encoded === null) return false;
    const { root, share, models } = this.#dependencies;
    const isRehearsal = this.#job.kind === 'rehearsal';
    let batch: Awaited<ReturnType<typeof readRows>>;
    try {
      const dependencies = { root: isRehearsal ? NO_IDS : root, share, models };
      batch = await readRows(encoded, collection, 'insert', dependencies, this.#readOptions);
    } catch (error) {
      if (error instanceof MilvusError && error.inputError) return false;
      throw error;
    }
    if (isRehearsal) return true;
    const duplicates = collection.duplicateKey === 'replace' ? 'last' : 'keep';
    stage.add(await runInSlices(splitRows(batch, collection, partition, duplicates), share));
    this.#held.push(...sharedMemoryOf(encoded.fieldsData));
    return true;
  }

  /** @throws MilvusError 2100 with the first one, unless this is a rehearsal, which goes on */
  async #tellMistakes(read: ReadRows, reader: UnitReader, collection: CollectionInfo): Promise<void> {
    const { share, models } = this.#dependencies;
    const { rows, mistakes } = this.#units[this.#unit]!;
    const most = MISTAKES_MAX[this.#job.kind] - mistakes.length;
    if (most <= 0) return;
    const found = await findMistakes(read, reader, {
      most,
      check: async (encoded) => {
        const dependencies = { root: NO_IDS, share, models };
        await readRows(encoded, collection, 'insert', dependencies, this.#readOptions);
      },
    });
    const told = found.map(({ row, reason }) => `row ${rows + row}: ${reason}`);
    assert(told.length > 0, 'rows that were refused have a mistake');
    this.#note({ mistakes: [...mistakes, ...told] });
    if (this.#job.kind === 'import') throw importFailed(told.join('; '));
  }

  /** Begins to write what was read so far, which need not be read again then; of what was begun before only the last may go on. */
  async #writeFiles(stage: RowStage): Promise<void> {
    await this.#writingBefore;
    const before = this.#writing;
    this.#writingBefore = before;
    const units = [...this.#units];
    const held = this.#held;
    this.#held = [];
    const written = stage.flush(this.#signal);
    this.#writing = Promise.all([written, before]).then(async ([staged]) => {
      this.#spares.push(...held);
      this.#job = await this.#dependencies.imports.changeImport(this.#job.id, { units, staged });
    });
    // Whoever waits for it next hears of it.
    this.#settled = Promise.allSettled([this.#settled, written, this.#writing]);
  }

  #takeSpares(): readonly SharedArrayBuffer[] {
    return this.#spares.splice(0);
  }

  #note(change: Partial<ImportUnit>): void {
    this.#units[this.#unit] = { ...this.#units[this.#unit]!, ...change };
  }

  #throwIfLate(): void {
    this.#signal.throwIfAborted();
    const { timeoutMs } = this.#options;
    if (timeoutMs !== null && this.#dependencies.clock.nowMs() > this.#job.createdMs + timeoutMs)
      throw importFailed('import timeout expired');
  }
}

/** Where the rows of a unit go. */
interface Target {
  readonly collection: CollectionInfo;
  readonly partition: PartitionId | null;
  readonly stage: RowStage;
}

/** For rows that are only looked at. */
const NO_IDS = { allocateIds: async () => 0n } as unknown as AccessDependencies['root'];

/** Opens all files of a unit, or none. @throws MilvusError 2100 */
async function openFiles({ paths }: ImportUnit, files: ImportFiles): Promise<readonly ImportFile[]> {
  const opened: ImportFile[] = [];
  try {
    for (const path of paths) {
      const file = await files.open(path);
      opened.push(file);
      if (file.size > FILE_BYTES_MAX)
        throw importFailed(`the file ${path} has more than ${FILE_BYTES_MAX} bytes`);
    }
    return opened;
  } catch (error) {
    await Promise.all(opened.map((file) => file.close()));
    throw error;
  }
}
