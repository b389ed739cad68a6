import type { CollectionId, KeyValue, StagedSegment } from '@elanus/model';
import type { CollectionRef } from './coordinator.ts';

/**
 * `uncommitted`: all rows are in files, and whoever has begun the import is to say whether they become visible.
 * `committing`: they are being made so. An import goes through the states in this order, past `uncommitted` unless it was to
 * wait, and ends in one of the last two.
 */
export type ImportState = 'pending' | 'importing' | 'uncommitted' | 'committing' | 'completed' | 'failed';

/** Files that hold rows together: one, or one for each field. */
export interface ImportUnit {
  readonly paths: readonly string[];
  /** 0 until somebody has looked. */
  readonly bytes: number;
  /** Read, checked, and (unless it is a rehearsal) staged. */
  readonly rows: number;
  /** `null` until all of them are counted. */
  readonly totalRows: number | null;
  /** What is wrong with its rows, in the order of the rows; the first ones. */
  readonly mistakes: readonly string[];
}

/** An import as everybody may know it; each version of it is durable. */
export interface ImportJob {
  readonly id: bigint;
  readonly collectionId: CollectionId;
  /** By its own name, when the import was asked for. */
  readonly collectionName: string;
  readonly databaseName: string;
  /** Empty: none was named. */
  readonly partitionName: string;
  readonly units: readonly ImportUnit[];
  readonly options: readonly KeyValue[];
  /** `rehearsal`: everything is read and checked, nothing is written. */
  readonly kind: 'import' | 'rehearsal';
  readonly state: ImportState;
  /** Empty unless it has failed. */
  readonly reason: string;
  readonly createdMs: number;
  readonly endedMs: number | null;
  /** Files that hold the rows counted in `units` and that no segment of the catalog has in its place yet. */
  readonly segments: readonly StagedSegment[];
}

export type NewImport = Pick<ImportJob, 'partitionName' | 'units' | 'options' | 'kind'>;
export type ImportChange = Partial<Pick<ImportJob, 'units' | 'state' | 'reason' | 'endedMs'>> & {
  /** Added to those that there are. */
  readonly staged?: readonly StagedSegment[];
  /** All staged files are given up. */
  readonly isGivenUp?: boolean;
};

/** Which imports there are, and how far each has come. Ended ones are forgotten after three hours. */
export interface ImportCoordinator {
  /** @throws MilvusError 2100 when there are too many; collectionNotFound, databaseNotFound */
  createImport(ref: CollectionRef, request: NewImport): Promise<ImportJob>;
  findImport(id: bigint): Promise<ImportJob | undefined>;
  /** Newest first; `null` for the collection: of the whole database. @throws databaseNotFound, collectionNotFound */
  listImports(database: string, collection: string | null): Promise<readonly ImportJob[]>;
  /** Of all databases, oldest first: those that have not ended. */
  unfinishedImports(): Promise<readonly ImportJob[]>;
  /** Durable when it resolves. @throws MilvusError 2100 when there is no such import */
  changeImport(id: bigint, change: ImportChange): Promise<ImportJob>;
}

/** A file that an import may read. */
export interface ImportFile {
  readonly size: number;
  /** Of an open file of this machine: for who reads it on another thread, until `close`. */
  readonly descriptor?: number;
  /** Bytes that are there; the caller owns them and their buffer. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Where imports find their files and exports put theirs: the object store, and a directory that the configuration allows. */
export interface ImportFiles {
  /** @throws MilvusError 2100 when there is no such file, or none that may be read */
  open(path: string): Promise<ImportFile>;
}

/** Where exports put their files: below a folder of the object store, or of the directory that imports read from. */
export interface ExportFiles {
  /**
   * Writes a file whole or not at all, in the place of one that is there.
   * @throws MilvusError 2100 when no file may be written there
   */
  write(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
}
