/** Rows as registers: a collection of keys and values, asked over connections that say exactly what they are told. */
import {
  type Draft,
  decode,
  encode,
  type MethodName,
  type Methods,
  type schema_FieldData,
} from '@elanus/proto';
import { methodNamed, type WireConnection } from '../mistakes/wire-connection.ts';

const INT64 = 5;
const FLOAT_VECTOR = 101;

/** What a read says of what it has to see. */
export interface Consistency {
  readonly consistencyLevel: number;
  readonly guaranteeTimestamp: bigint;
}

/** The levels, for a client whose last write was at this time. */
export const LEVELS = {
  Strong: () => ({ consistencyLevel: 0, guaranteeTimestamp: 0n }),
  Session: (own: bigint) => ({ consistencyLevel: 1, guaranteeTimestamp: own }),
  Bounded: () => ({ consistencyLevel: 2, guaranteeTimestamp: 2n }),
  Eventually: () => ({ consistencyLevel: 3, guaranteeTimestamp: 1n }),
  Customized: (own: bigint) => ({ consistencyLevel: 4, guaranteeTimestamp: own }),
} as const satisfies Readonly<Record<string, (own: bigint) => Consistency>>;
export type Level = keyof typeof LEVELS;

/** The values of rows by their keys; those that are not there are left out. */
export type Values = ReadonlyMap<number, number>;

/** One client of a collection of registers. */
export class Registers {
  readonly #wire: WireConnection;
  readonly #collectionName: string;

  constructor(wire: WireConnection, collectionName: string) {
    this.#wire = wire;
    this.#collectionName = collectionName;
  }

  /** Makes the collection, empty. */
  async create(): Promise<void> {
    const schema = encode('schema.CollectionSchema', {
      name: this.#collectionName,
      fields: [
        { name: 'id', dataType: INT64, isPrimaryKey: true },
        { name: 'value', dataType: INT64 },
        { name: 'vector', dataType: FLOAT_VECTOR, typeParams: [{ key: 'dim', value: '2' }] },
      ],
    });
    await this.#call('CreateCollection', { schema, shardsNum: 2 });
    const extraParams = [
      { key: 'index_type', value: 'FLAT' },
      { key: 'metric_type', value: 'L2' },
    ];
    await this.#call('CreateIndex', { fieldName: 'vector', extraParams });
    await this.#call('LoadCollection', { replicaNumber: 1 });
  }

  /** Writes rows with one value; returns the time of the write. */
  async write(keys: readonly number[], value: number): Promise<bigint> {
    const column = (fieldName: string, data: bigint[]) =>
      encode('schema.FieldData', { type: INT64, fieldName, scalars: { longData: { data } } });
    const data = Array.from({ length: 2 * keys.length }, () => 0);
    const vectors = { dim: 2n, floatVector: { data } };
    const fieldsData = [
      column('id', keys.map(BigInt)),
      column(
        'value',
        keys.map(() => BigInt(value)),
      ),
      encode('schema.FieldData', { type: FLOAT_VECTOR, fieldName: 'vector', vectors }),
    ];
    const { timestamp } = await this.#call('Upsert', { fieldsData, numRows: keys.length });
    return timestamp;
  }

  /** Deletes rows; returns the time of it. */
  async remove(keys: readonly number[]): Promise<bigint> {
    const { timestamp } = await this.#call('Delete', { expr: `id in [${keys}]` });
    return timestamp;
  }

  async query(keys: readonly number[], consistency: Consistency, more: object = {}): Promise<Values> {
    const expr = `id in [${keys}]`;
    const outputFields = ['id', 'value'];
    const answer = await this.#call('Query', { expr, outputFields, ...consistency, ...more });
    return valuesOf(answer.fieldsData.map((column) => decode('schema.FieldData', column)));
  }

  async search(keys: readonly number[], consistency: Consistency): Promise<Values> {
    const values = [new Uint8Array(8)];
    const placeholders = [{ tag: '$0', type: FLOAT_VECTOR, values }];
    const { results } = await this.#call('Search', {
      dsl: `id in [${keys}]`,
      dslType: 1,
      nq: 1n,
      placeholderGroup: encode('common.PlaceholderGroup', { placeholders }),
      searchParams: [
        { key: 'anns_field', value: 'vector' },
        { key: 'topk', value: '10' },
      ],
      outputFields: ['id', 'value'],
      ...consistency,
    });
    return valuesOf(decode('schema.SearchResultData', results ?? new Uint8Array()).fieldsData);
  }

  /** Begins to write the rows to files. */
  async flush(): Promise<void> {
    await this.#call('Flush', { collectionNames: [this.#collectionName] });
  }

  /** @throws Error for an answer that is no success */
  async #call<Name extends MethodName>(
    name: Name,
    request: Draft<Methods[Name]['request']>,
  ): Promise<Methods[Name]['response']> {
    const draft = { collectionName: this.#collectionName, ...request };
    const answer = await this.#wire.ask(name, encode(methodNamed(name).request, draft as never));
    const { status = answer } = answer as { readonly status?: object };
    const { code = 0, reason = '' } = status as { readonly code?: number; readonly reason?: string };
    if (code !== 0) throw new Error(`${name}: ${code} ${reason}`);
    return answer;
  }
}

function valuesOf(columns: readonly schema_FieldData[]): Values {
  const numbers = (name: string) =>
    columns.find(({ fieldName }) => fieldName === name)?.scalars?.longData?.data.map(Number) ?? [];
  const values = numbers('value');
  return new Map(numbers('id').map((id, at) => [id, values[at]!]));
}
