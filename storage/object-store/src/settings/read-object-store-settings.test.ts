import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectStoreSettings } from './object-store-settings.ts';
import { readObjectStoreSettings } from './read-object-store-settings.ts';
import { ObjectStoreSettingsError } from './setting-reader.ts';

type Values = Readonly<Record<string, unknown>>;

function read(file: Values, environment: Readonly<Record<string, string>> = {}): ObjectStoreSettings {
  return readObjectStoreSettings({
    environment,
    value: (key) => file[key],
    workingDirectory: '/work',
    directoryDefault: '/data/objects',
  });
}

const MINIO_ALONE = {
  type: 's3',
  endpoint: 'http://localhost:9000',
  region: 'us-east-1',
  credentials: { accessKeyId: 'minioadmin', secretAccessKey: 'minioadmin' },
  usePathStyle: true,
  caCertificate: null,
  bucket: 'a-bucket',
  prefix: 'files',
  requestTimeoutMs: 10_000,
};
const KEYS = { 'storage.accessKeyID': 'id', 'storage.secretAccessKey': 'secret' };
const CREDENTIALS = { accessKeyId: 'id', secretAccessKey: 'secret' };

interface Case {
  readonly why: string;
  readonly file?: Values;
  readonly environment?: Readonly<Record<string, string>>;
  readonly expected: object;
}

const CASES: readonly Case[] = [
  { why: 'a directory when nothing is said', expected: { type: 'local', directory: '/data/objects' } },
  {
    why: 'a directory although Milvus’ file names a server',
    file: { 'minio.address': 'minio', 'minio.port': 9_000 },
    expected: { type: 'local', directory: '/data/objects' },
  },
  {
    why: 'the directory of the block',
    file: { 'storage.type': 'local', 'storage.path': 'relative' },
    expected: { type: 'local', directory: '/work/relative' },
  },
  {
    why: 'Milvus’ directory to who asks for local storage in its words',
    file: { 'common.storageType': 'local', 'localStorage.path': '/var/lib/milvus/data/' },
    expected: { type: 'local', directory: '/var/lib/milvus/data' },
  },
  { why: 'Milvus’ defaults for remote', file: { 'common.storageType': 'remote' }, expected: MINIO_ALONE },
  { why: 'the old word for remote', file: { 'common.storageType': 'minio' }, expected: MINIO_ALONE },
  { why: 'remote by the environment', environment: { COMMON_STORAGETYPE: 'remote' }, expected: MINIO_ALONE },
  {
    why: 'S3 by MINIO_ADDRESS alone',
    environment: { MINIO_ADDRESS: 'minio:9100' },
    expected: { ...MINIO_ALONE, endpoint: 'http://minio:9100' },
  },
  {
    why: 'MINIO_ADDRESS over a block that says local',
    file: { 'storage.type': 'local', 'storage.path': '/here' },
    environment: { MINIO_ADDRESS: 'minio' },
    expected: { ...MINIO_ALONE, endpoint: 'http://minio:9000' },
  },
  {
    why: 'COMMON_STORAGETYPE over MINIO_ADDRESS',
    environment: { MINIO_ADDRESS: 'minio', COMMON_STORAGETYPE: 'local' },
    expected: { type: 'local', directory: '/data/objects' },
  },
  {
    why: 'all of minio.*',
    file: {
      'common.storageType': 'remote',
      'minio.address': 'store.example',
      'minio.port': 443,
      'minio.accessKeyID': 'id',
      'minio.secretAccessKey': 'secret',
      'minio.useSSL': true,
      'minio.bucketName': 'mine',
      'minio.rootPath': '/deep/path/',
      'minio.region': 'eu-west-1',
      'minio.useVirtualHost': 'true',
      'minio.requestTimeoutMs': 3_000,
    },
    expected: {
      ...MINIO_ALONE,
      endpoint: 'https://store.example:443',
      region: 'eu-west-1',
      credentials: CREDENTIALS,
      usePathStyle: false,
      bucket: 'mine',
      prefix: 'deep/path',
      requestTimeoutMs: 3_000,
    },
  },
  {
    why: 'the block over minio.*, the bucket from minio.bucketName',
    file: {
      'storage.type': 'minio',
      'storage.host': 'block',
      'storage.port': 1,
      'storage.path': 'prefix',
      'storage.useSSL': false,
      ...KEYS,
      'minio.address': 'file:2',
      'minio.accessKeyID': 'other',
      'minio.secretAccessKey': 'other',
      'minio.rootPath': 'other',
      'minio.useSSL': true,
      'minio.bucketName': 'mine',
    },
    expected: {
      ...MINIO_ALONE,
      endpoint: 'http://block:1',
      credentials: CREDENTIALS,
      bucket: 'mine',
      prefix: 'prefix',
    },
  },
  {
    why: 'the environment over the block',
    file: {
      'storage.type': 's3',
      'storage.host': 'block',
      'storage.port': 1,
      ...KEYS,
      'minio.bucketName': 'mine',
    },
    environment: {
      MINIO_ADDRESS: 'env:3',
      MINIO_ACCESS_KEY_ID: 'env-id',
      MINIO_SECRET_ACCESS_KEY: 'env-secret',
      MINIO_BUCKET_NAME: 'env-bucket',
    },
    expected: {
      ...MINIO_ALONE,
      endpoint: 'http://env:3',
      credentials: { accessKeyId: 'env-id', secretAccessKey: 'env-secret' },
      bucket: 'env-bucket',
    },
  },
  {
    why: 'the short names of the keys, below the long ones',
    environment: {
      MINIO_ADDRESS: 'env',
      MINIO_ACCESS_KEY: 'short-id',
      MINIO_SECRET_KEY: 'short',
      MINIO_SECRET_ACCESS_KEY: 'long',
    },
    expected: {
      ...MINIO_ALONE,
      endpoint: 'http://env:9000',
      credentials: { accessKeyId: 'short-id', secretAccessKey: 'long' },
    },
  },
  {
    why: 'a port of the block not for an address of the environment',
    file: { 'storage.type': 'minio', 'storage.host': 'block', 'storage.port': 1 },
    environment: { MINIO_ADDRESS: 'env' },
    expected: { ...MINIO_ALONE, endpoint: 'http://env:9000' },
  },
  {
    why: 'Amazon itself, with the keys that the SDK finds',
    file: { 'storage.type': 's3', 'minio.region': 'eu-central-1', 'minio.bucketName': 'mine' },
    expected: { ...MINIO_ALONE, endpoint: null, region: 'eu-central-1', credentials: null, bucket: 'mine' },
  },
  {
    why: 'a role instead of keys',
    file: { 'common.storageType': 'remote', 'minio.useIAM': true },
    expected: { ...MINIO_ALONE, credentials: null },
  },
  {
    why: 'an address with its scheme',
    environment: { MINIO_ADDRESS: 'https://store.example' },
    expected: { ...MINIO_ALONE, endpoint: 'https://store.example' },
  },
  {
    why: 'an address of IPv6',
    environment: { MINIO_ADDRESS: '[::1]:9000' },
    expected: { ...MINIO_ALONE, endpoint: 'http://[::1]:9000' },
  },
  {
    why: 'Google’s by the block',
    file: { 'storage.type': 'gcs', 'storage.path': 'p', 'minio.bucketName': 'b' },
    expected: {
      type: 'gcs',
      endpoint: null,
      credentialsJson: null,
      bucket: 'b',
      prefix: 'p',
      requestTimeoutMs: 10_000,
    },
  },
  {
    why: 'Google’s by Milvus’ words, with its key, whatever the address',
    file: {
      'common.storageType': 'remote',
      'minio.cloudProvider': 'gcpnative',
      'minio.gcpCredentialJSON': '{"a":1}',
      'minio.address': 'storage.googleapis.com',
    },
    expected: {
      type: 'gcs',
      endpoint: null,
      credentialsJson: '{"a":1}',
      bucket: 'a-bucket',
      prefix: 'files',
      requestTimeoutMs: 10_000,
    },
  },
  {
    why: 'Azure’s by the block',
    file: { 'storage.type': 'Azure', ...KEYS, 'minio.bucketName': 'b' },
    expected: {
      type: 'azure',
      endpoint: null,
      account: 'id',
      accountKey: 'secret',
      bucket: 'b',
      prefix: 'files',
      requestTimeoutMs: 10_000,
    },
  },
];

for (const { why, file = {}, environment = {}, expected } of CASES) {
  test(`settings: ${why}`, () => assert.deepEqual(read(file, environment), expected));
}

const REFUSED: readonly (readonly [why: string, file: Values, sentence: RegExp])[] = [
  ['an unknown type', { 'storage.type': 'ftp' }, /^storage\.type is "ftp", it must be one of local, s3, /],
  [
    'a port out of range',
    { 'storage.type': 'minio', 'storage.port': 0, 'storage.host': 'h' },
    /^storage\.port is "0"/,
  ],
  ['half of the keys', { 'storage.type': 's3', 'storage.accessKeyID': 'id' }, /no secret access key$/],
  ['the other half', { 'storage.type': 's3', 'storage.secretAccessKey': 'x' }, /no access key id$/],
  ['Azure without keys', { 'storage.type': 'azure' }, /^storage\.accessKeyID is missing/],
  [
    'no address',
    { 'storage.type': 's3', 'storage.host': 'a b' },
    /^storage\.host is "a b", it must be a host/,
  ],
  ['no flag', { 'storage.type': 'minio', 'storage.useSSL': 'maybe' }, /^storage\.useSSL is "maybe"/],
  ['a list', { 'storage.type': ['s3'] }, /^storage\.type must be a single value$/],
  [
    'a key that is none',
    { 'storage.type': 'gcs', 'minio.gcpCredentialJSON': 'secret' },
    /^minio\.gcpCredentialJSON must be the JSON of a key$/,
  ],
  [
    'a certificate that is not there',
    { 'storage.type': 'minio', 'minio.ssl.tlsCACert': 'no.pem' },
    /^\/work\/no\.pem can't be read: ENOENT$/,
  ],
];

for (const [why, file, sentence] of REFUSED) {
  test(`settings are refused with one sentence: ${why}`, () => {
    assert.throws(
      () => read(file),
      (error) => error instanceof ObjectStoreSettingsError && sentence.test(error.message),
    );
  });
}
