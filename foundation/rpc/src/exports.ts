import type { CollectionId, Timestamp } from '@elanus/model';
import type { CollectionRef } from './coordinator.ts';

export type ExportFormat = 'parquet' | 'json lines' | 'numpy';
/** An export goes through the states in this order and ends in one of the last two. */
export type ExportState = 'pending' | 'exporting' | 'completed' | 'failed';

/** An export as everybody may know it; each version of it is durable. */
export interface ExportJob {
  readonly id: bigint;
  readonly collectionId: CollectionId;
  /** By its own name, when the export was asked for. */
  readonly collectionName: string;
  readonly databaseName: string;
  /** Empty: all. */
  readonly partitionNames: readonly string[];
  readonly filter: string;
  /** Empty: all that an import takes. */
  readonly fieldNames: readonly string[];
  readonly format: ExportFormat;
  /** The folder that the files are put into. */
  readonly path: string;
  readonly state: ExportState;
  /** Empty unless it has failed. */
  readonly reason: string;
  readonly createdMs: number;
  readonly endedMs: number | null;
  /** In `files`. */
  readonly rows: number;
  /** `null` until they are counted. */
  readonly totalRows: number | null;
  /** As of when; `null` until the rows are counted. */
  readonly timestamp: Timestamp | null;
  /** Those that are complete. */
  readonly files: readonly string[];
}

export type NewExport = Pick<ExportJob, 'partitionNames' | 'filter' | 'fieldNames' | 'format' | 'path'>;
export type ExportChange = Partial<
  Pick<ExportJob, 'state' | 'reason' | 'endedMs' | 'rows' | 'totalRows' | 'timestamp' | 'files'>
>;

/** Which exports there are, and how far each has come. Ended ones are forgotten after three hours. */
export interface ExportCoordinator {
  /** @throws MilvusError 2100 when there are too many; collectionNotFound, databaseNotFound */
  createExport(ref: CollectionRef, request: NewExport): Promise<ExportJob>;
  findExport(id: bigint): Promise<ExportJob | undefined>;
  /** Newest first, of one database. */
  listExports(database: string): Promise<readonly ExportJob[]>;
  /** Of all databases, oldest first: those that have not ended. */
  unfinishedExports(): Promise<readonly ExportJob[]>;
  /** Durable when it resolves. @throws MilvusError 2100 when there is no such export */
  changeExport(id: bigint, change: ExportChange): Promise<ExportJob>;
}
