import assert from 'node:assert/strict';
import type { CollectionInfo, PartitionId, Timestamp } from '@elanus/model';
import type { TestKey } from '@elanus/segment/testing';
import type { Change, Operation, WrittenRow } from './operation.ts';
import { RowHistory } from './row-history.ts';

/** What a read found: exactly the rows as of a time. */
export interface Observation {
  readonly at: Timestamp;
  readonly partitionIds: readonly PartitionId[] | null;
  /** In the order they came. */
  readonly rows: readonly { readonly key: TestKey; readonly version: bigint }[];
  /** Partitions whose drop had been answered before the read began: none of their rows may be found. */
  readonly gone: ReadonlySet<PartitionId>;
  /** For a failure's message. */
  readonly occasion: string;
}

/** A collection as its clients know it: every write that was sent, and what must be found. */
export class CollectionModel {
  info: CollectionInfo;
  readonly operations: Operation[] = [];
  /** Dropped for good. */
  readonly gone = new Set<PartitionId>();
  /** Somebody is dropping it, or was when the machine crashed. */
  doubtful: PartitionId | null = null;
  /**
   * Whether answers may count other rows than were replaced: of a partition that was dropped nobody can tell
   * between which writes, and a write of unknown outcome may have been there after all.
   */
  hasMiscounted = false;
  readonly #rows = new Map<bigint, WrittenRow>();
  #observations: Observation[] = [];

  constructor(info: CollectionInfo) {
    this.info = info;
  }

  /** The catalog has answered, or was found after a crash. */
  adopt(info: CollectionInfo): void {
    const partitions = new Set(info.partitions.map(({ id }) => id));
    for (const { id } of this.info.partitions) if (!partitions.has(id)) this.gone.add(id);
    this.info = info;
    this.doubtful = null;
  }

  /** Somebody begins to drop a partition. */
  doubt(partition: PartitionId): void {
    this.doubtful = partition;
    this.hasMiscounted = true;
  }

  /** Before a write is sent: from now on it may be there. */
  send(operation: Operation): void {
    this.operations.push(operation);
    if (operation.change.kind === 'delete') return;
    for (const row of operation.change.rows) this.#rows.set(row.version, row);
  }

  observe(observation: Observation): void {
    for (const { version } of observation.rows) {
      const row = this.#rows.get(version);
      const where = `${observation.occasion} at ${observation.at}`;
      assert.ok(row !== undefined, `${where} finds version ${version}, which nobody wrote`);
      const isGone = observation.gone.has(row.partitionId);
      assert.ok(!isGone, `${where} finds version ${version} in a partition that was dropped before`);
    }
    this.#observations.push(observation);
  }

  /** Times of the writes that nobody knows the outcome of, oldest first: `settle` has to be told what was found then. */
  openTimes(): readonly Timestamp[] {
    const open = this.operations.filter(({ outcome }) => outcome === 'open');
    return open.flatMap(({ timestamp }) => (timestamp === null ? [] : [timestamp])).sort(compareTimes);
  }

  /** Times of the writes that are there, newest first. */
  presentTimes(): readonly Timestamp[] {
    return this.#ordered()
      .map(({ timestamp }) => timestamp!)
      .toReversed();
  }

  /** Decides about each open write, by what was found at its time: all of it, or nothing. */
  settle(found: ReadonlyMap<Timestamp, Observation>): void {
    for (const operation of this.operations)
      if (operation.outcome === 'open' && operation.timestamp === null) operation.outcome = 'absent';
    const open = this.operations
      .filter(({ outcome }) => outcome === 'open')
      .sort((a, b) => compareTimes(a.timestamp!, b.timestamp!));
    for (const operation of open) {
      const observation = found.get(operation.timestamp!);
      assert.ok(observation !== undefined, 'every open write was looked for');
      const without = this.#disagreement(this.#history(), observation);
      operation.outcome = 'absent';
      if (without === null) continue;
      operation.outcome = 'present';
      const disagreement = this.#disagreement(this.#history(), observation);
      const what = `${describe(operation)}, unanswered, is there neither whole nor not at all`;
      assert.equal(disagreement, null, `${what}: with it ${disagreement}; without it ${without}`);
    }
  }

  /**
   * Compares every observation with what was answered, and forgets it. Every write up to the observed
   * times must be settled.
   */
  check(): void {
    const history = this.#history({ checks: true });
    for (const observation of this.#observations) {
      const disagreement = this.#disagreement(history, observation);
      assert.equal(disagreement, null, `${observation.occasion}: ${disagreement}`);
      this.#checkKeys(observation);
    }
    this.#observations = [];
  }

  /** Rows that a read of the whole collection as of `at` must find. */
  expectedAt(at: Timestamp): readonly WrittenRow[] {
    return this.#history().visible(at, null, this.#hiddenPartitions());
  }

  #checkKeys({ rows, occasion }: Observation): void {
    const isInOrder = rows.every((row, at) => at === 0 || compareKeys(rows[at - 1]!.key, row.key) <= 0);
    assert.ok(isInOrder, `${occasion} finds the keys in order`);
    if (this.info.duplicateKey === 'keep') return;
    const isUnique = new Set(rows.map(({ key }) => key)).size === rows.length;
    assert.ok(isUnique, `${occasion} finds no key twice`);
  }

  #history({ checks = false } = {}): RowHistory {
    const history = new RowHistory(this.info.duplicateKey);
    for (const operation of this.#ordered()) {
      if (checks) this.#checkPolicy(operation, history);
      const hidden = history.apply(operation.timestamp!, operation.change);
      if (!checks || this.hasMiscounted || operation.replacedRows === null) continue;
      assert.equal(operation.replacedRows, hidden, `rows that ${describe(operation)} said it replaced`);
    }
    return history;
  }

  #checkPolicy(operation: Operation, history: RowHistory): void {
    if (this.info.duplicateKey !== 'reject' || operation.change.kind !== 'insert') return;
    for (const { key } of operation.change.rows) {
      const known = history.live(key).find(({ partitionId }) => !this.#hiddenPartitions().has(partitionId));
      assert.equal(known, undefined, `${describe(operation)} was not refused, but key ${key} existed`);
    }
  }

  /** `null` when the observation shows what the history has. */
  #disagreement(history: RowHistory, observation: Observation): string | null {
    const hidden = this.#hiddenPartitions();
    const expected = new Set(history.visible(observation.at, observation.partitionIds, hidden).map(textOf));
    const rows = observation.rows.filter(({ version }) => !hidden.has(this.#rows.get(version)!.partitionId));
    const found = new Set(rows.map(textOf));
    const missing = [...expected].filter((row) => !found.has(row));
    const surplus = [...found].filter((row) => !expected.has(row));
    const twice = rows.length - found.size;
    if (missing.length + surplus.length + twice === 0) return null;
    return `at ${observation.at} there lack [${missing}], there are in excess [${surplus}], and ${twice} are there twice`;
  }

  /** Partitions whose rows may be gone. */
  #hiddenPartitions(): ReadonlySet<PartitionId> {
    return this.doubtful === null ? this.gone : new Set([...this.gone, this.doubtful]);
  }

  #ordered(): readonly Operation[] {
    return this.operations
      .filter(({ outcome }) => outcome === 'present')
      .sort((a, b) => compareTimes(a.timestamp!, b.timestamp!));
  }
}

export function compareKeys(a: TestKey, b: TestKey): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareTimes(a: Timestamp, b: Timestamp): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function textOf({ key, version }: { readonly key: TestKey; readonly version: bigint }): string {
  return `${key}=${version}`;
}

function describe({ change, timestamp }: Operation): string {
  return `the ${change.kind} of ${keysOf(change)} at ${timestamp}`;
}

function keysOf(change: Change): readonly TestKey[] {
  return change.kind === 'delete' ? change.keys : change.rows.map(({ key }) => key);
}
