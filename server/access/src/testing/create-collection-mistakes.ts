import type { Draft, schema_CollectionSchema, schema_FieldSchema } from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { createRequest, key, params, text, vector } from './request-drafts.ts';

type Field = Draft<schema_FieldSchema>;
type Case = readonly [what: string, request: ReturnType<typeof createRequest>, code: number, reason: string];

const withFields = (...fields: Field[]) => createRequest('c', { fields });
const withSchema = (schema: Draft<schema_CollectionSchema>) => createRequest('c', schema);
const withProperties = (pairs: Record<string, string>, fields: Field[] = [key(), vector()]) =>
  createRequest('c', { fields }, { properties: params(pairs) });
const named = (name: string) => createRequest(name);
const many = (count: number, make: (at: number) => Field) =>
  Array.from({ length: count }, (_, at) => make(at));
const ending = ': invalid parameter';

const refused: readonly Case[] = [
  [
    'a negative consistency level',
    createRequest('c', {}, { consistencyLevel: -1 }),
    1100,
    `invalid consistency level: -1${ending}`,
  ],
  [
    'too many shards',
    createRequest('c', {}, { shardsNum: 17 }),
    1100,
    `maximum shards's number should be limited to 16${ending}`,
  ],
  [
    'too many fields',
    withFields(key(), vector(), ...many(63, (at) => text({ name: `f${at}` }))),
    1100,
    `maximum field's number should be limited to 64${ending}`,
  ],
  [
    'too many vectors',
    withFields(key(), ...many(11, (at) => vector({ name: `v${at}` }))),
    1100,
    `maximum vector field's number should be limited to 10${ending}`,
  ],
  ['no vector', withFields(key()), 1100, `schema does not contain vector field${ending}`],
  [
    'a broken schema',
    { ...createRequest('c'), schema: Buffer.from([0x0a, 0xff]) },
    1100,
    `the schema of the collection is not a CollectionSchema message${ending}`,
  ],
  ['an empty name', named(''), 1100, `collection name should not be empty${ending}`],
  [
    'a long name',
    named('n'.repeat(256)),
    1100,
    `Invalid collection name: ${'n'.repeat(256)}. the length of a collection name must be less than 255 characters${ending}`,
  ],
  [
    'a digit first',
    named('1c'),
    1100,
    `Invalid collection name: 1c. the first character of a collection name must be an underscore or letter${ending}`,
  ],
  [
    'a blank inside',
    named('a b'),
    1100,
    `Invalid collection name: a b. collection name can only contain numbers, letters and underscores${ending}`,
  ],
  [
    'a name with a line break',
    named('a\n'),
    1100,
    `Invalid collection name: a\n. collection name can only contain numbers, letters and underscores${ending}`,
  ],
  [
    'a huge description',
    withSchema({ description: 'd'.repeat(65_536) }),
    1100,
    `the length of a collection description must not exceed 65535 bytes${ending}`,
  ],
  [
    'isolation without a key',
    withProperties({ 'partitionkey.isolation': 'True' }),
    105,
    'partition key isolation mode is enabled but no partition key field is set. Please set the partition key first: illegal collection schema',
  ],
  [
    'a struct array without sub-fields',
    withSchema({ structArrayFields: [{ name: 's', fields: [] }] }),
    1100,
    `struct array field s has no sub-fields${ending}`,
  ],
  ['a namespace', withSchema({ enableNamespace: true }), 1100, `namespaces are not supported yet${ending}`],
  [
    'an external collection',
    withSchema({ externalSource: 's3://bucket' }),
    1100,
    `external collections are not supported yet${ending}`,
  ],
  ...['-2', '3155760001', 'soon'].map(
    (ttl): Case => [
      `a TTL of ${ttl}`,
      withProperties({ 'collection.ttl.seconds': ttl }),
      1100,
      `collection TTL is out of range, expect [-1, 3155760000], got ${ttl}${ending}`,
    ],
  ),
  [
    'rows with their own time in a field that is none',
    withProperties({ ttl_field: 'none' }),
    1100,
    `the field none of ttl_field does not exist${ending}`,
  ],
  [
    'rows with their own time in a field of another type',
    withProperties({ ttl_field: 'id' }),
    1100,
    `the field id of ttl_field must be a Timestamptz field${ending}`,
  ],
  [
    'two times for a row',
    withProperties({ ttl_field: 'id', 'collection.ttl.seconds': '60' }),
    1100,
    `collection.ttl.seconds and ttl_field can't be set together${ending}`,
  ],
  [
    'an unknown time zone',
    withProperties({ timezone: 'Mars/Olympus' }),
    1100,
    `unknown or invalid IANA Time Zone ID: Mars/Olympus${ending}`,
  ],
  [
    'an unknown duplicate policy',
    withProperties({ 'elanus.duplicate_key': 'ignore' }),
    1100,
    'invalid value of the collection property elanus.duplicate_key: invalid parameter[expected=replace, reject, keep][actual=ignore]',
  ],
  [
    'an unknown way to explain',
    withProperties({ 'elanus.explain': 'aloud' }),
    1100,
    'invalid value of the collection property elanus.explain: invalid parameter[expected=true, false, analyze][actual=aloud]',
  ],
  [
    'a recall of more than all',
    withProperties({ 'elanus.recall_target': '1.5' }),
    1100,
    'invalid value of the collection property elanus.recall_target: invalid parameter[expected=a number in (0, 1]][actual=1.5]',
  ],
  ['no schema', { collectionName: 'c' }, 1100, `schema does not contain vector field${ending}`],
  [
    'the name of a collection with another schema',
    createRequest('books'),
    65535,
    'create duplicate collection with different parameters, collection: books',
  ],
  [
    'another name in the schema',
    { ...createRequest('c'), collectionName: 'd' },
    1100,
    "collection name = d, schema.Name=c: invalid parameter[expected=collection name matches schema name][actual=don't match]",
  ],
  [
    'an unknown consistency level',
    createRequest('c', {}, { consistencyLevel: 9 }),
    1100,
    `invalid consistency level: 9${ending}`,
  ],
];

/** Definitions of collections that break a rule; of several broken rules the first in Milvus' order is told. */
export const CREATE_COLLECTION_MISTAKES: readonly Mistake[] = mistakesOf('CreateCollection', refused);
