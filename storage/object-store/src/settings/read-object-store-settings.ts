import type {
  AzureSettings,
  GcsSettings,
  LocalSettings,
  ObjectStoreSettings,
  S3Settings,
} from './object-store-settings.ts';
import { SettingReader, type SettingSources } from './setting-reader.ts';

const STORAGE_TYPES = ['local', 's3', 'minio', 'gcs', 'azure'] as const;
const MILVUS_STORAGE_TYPES = ['local', 'remote', 'minio', 'opendal'] as const;
const CLOUD_PROVIDERS = ['aws', 'gcp', 'gcpnative', 'azure', 'aliyun', 'tencent'] as const;
type RemoteType = Exclude<(typeof STORAGE_TYPES)[number], 'local'>;

/** Milvus' own defaults, for a server beside it. */
const MINIO = {
  host: 'localhost',
  port: 9_000,
  key: 'minioadmin',
  bucket: 'a-bucket',
  path: 'files',
} as const;

/** Every key of the configuration file that is looked at. */
export const OBJECT_STORE_KEYS: readonly string[] = [
  'common.storageType',
  'localStorage.path',
  'minio.accessKeyID',
  'minio.address',
  'minio.bucketName',
  'minio.cloudProvider',
  'minio.gcpCredentialJSON',
  'minio.port',
  'minio.region',
  'minio.requestTimeoutMs',
  'minio.rootPath',
  'minio.secretAccessKey',
  'minio.ssl.tlsCACert',
  'minio.useIAM',
  'minio.useSSL',
  'minio.useVirtualHost',
  'storage.accessKeyID',
  'storage.host',
  'storage.path',
  'storage.port',
  'storage.secretAccessKey',
  'storage.type',
  'storage.useSSL',
];

export interface ObjectStoreSettingsSources extends SettingSources {
  /** Where objects lie when nothing else is said. Absolute. */
  readonly directoryDefault: string;
}

/**
 * Where objects lie, by what the operator says: for each thing the environment wins over the block `storage:`, that
 * over Milvus' `minio.*`. Without a word of any of them that is the directory; `MINIO_ADDRESS` alone selects S3.
 * @throws ObjectStoreSettingsError
 */
export function readObjectStoreSettings(sources: ObjectStoreSettingsSources): ObjectStoreSettings {
  const reader = new SettingReader(sources);
  const type = readType(reader);
  switch (type) {
    case 'local':
      return readLocal(reader, sources.directoryDefault);
    case 's3':
    case 'minio':
      return readS3(reader, type);
    case 'gcs':
      return readGcs(reader);
    case 'azure':
      return readAzure(reader);
  }
}

function readType(reader: SettingReader): 'local' | RemoteType {
  const inBlock = reader.oneOf(['storage.type'], STORAGE_TYPES);
  const remote = inBlock === null || inBlock === 'local' ? remoteType(reader) : inBlock;
  const fromEnvironment = reader.oneOf(['COMMON_STORAGETYPE'], MILVUS_STORAGE_TYPES);
  if (fromEnvironment !== null) return fromEnvironment === 'local' ? 'local' : remote;
  if (reader.text(['MINIO_ADDRESS']) !== null) return remote;
  if (inBlock !== null) return inBlock;
  const inFile = reader.oneOf(['common.storageType'], MILVUS_STORAGE_TYPES) ?? 'local';
  return inFile === 'local' ? 'local' : remote;
}

/** Which service Milvus' own words mean. */
function remoteType(reader: SettingReader): RemoteType {
  switch (reader.oneOf(['MINIO_CLOUD_PROVIDER', 'minio.cloudProvider'], CLOUD_PROVIDERS)) {
    case 'azure':
      return 'azure';
    case 'gcp':
    case 'gcpnative':
      return 'gcs';
    default:
      return 'minio';
  }
}

function readLocal(reader: SettingReader, directoryDefault: string): LocalSettings {
  // Only who asks for local storage in Milvus' words means its directory; every copy of its file has the key.
  const isMilvusWord =
    reader.oneOf(['COMMON_STORAGETYPE', 'common.storageType'], MILVUS_STORAGE_TYPES) === 'local';
  const keys = ['storage.path', ...(isMilvusWord ? ['LOCALSTORAGE_PATH', 'localStorage.path'] : [])];
  return { type: 'local', directory: reader.path(keys) ?? directoryDefault };
}

function readS3(reader: SettingReader, type: 's3' | 'minio'): S3Settings {
  const region = reader.text(['MINIO_REGION', 'minio.region']);
  const usesRole = reader.flag(['MINIO_USE_IAM', 'minio.useIAM']) ?? false;
  const keys = readKeys(reader);
  const keysDefault = type === 'minio' ? { accessKeyId: MINIO.key, secretAccessKey: MINIO.key } : null;
  const caPath = reader.path(['MINIO_SSL_TLSCACERT', 'minio.ssl.tlsCACert']);
  return {
    type: 's3',
    ...readBucket(reader),
    endpoint: readEndpoint(reader, type === 'minio' ? MINIO : null),
    region: region ?? 'us-east-1',
    credentials: usesRole ? null : (keys ?? keysDefault),
    usePathStyle: !(reader.flag(['MINIO_USEVIRTUALHOST', 'minio.useVirtualHost']) ?? false),
    caCertificate: caPath === null ? null : reader.fileContent(caPath),
  };
}

function readGcs(reader: SettingReader): GcsSettings {
  return {
    type: 'gcs',
    ...readBucket(reader),
    endpoint: readEndpoint(reader, null),
    credentialsJson: reader.json(['MINIO_GCPCREDENTIALJSON', 'minio.gcpCredentialJSON']),
  };
}

function readAzure(reader: SettingReader): AzureSettings {
  const keys = readKeys(reader);
  if (keys === null)
    throw reader.refused('storage.accessKeyID is missing: Azure asks for an account and its key');
  return {
    type: 'azure',
    ...readBucket(reader),
    endpoint: readEndpoint(reader, null),
    account: keys.accessKeyId,
    accountKey: keys.secretAccessKey,
  };
}

function readBucket(reader: SettingReader): Pick<S3Settings, 'bucket' | 'prefix' | 'requestTimeoutMs'> {
  // The path of a block that says local is a directory, also where the environment says otherwise.
  const isLocalBlock = reader.oneOf(['storage.type'], STORAGE_TYPES) === 'local';
  const pathInBlock = isLocalBlock ? [] : ['storage.path'];
  const path = reader.text(['MINIO_ROOT_PATH', ...pathInBlock, 'minio.rootPath']) ?? MINIO.path;
  const timeoutKeys = ['MINIO_REQUESTTIMEOUTMS', 'minio.requestTimeoutMs'];
  return {
    bucket: reader.text(['MINIO_BUCKET_NAME', 'minio.bucketName']) ?? MINIO.bucket,
    prefix: path
      .split('/')
      .filter((name) => name !== '')
      .join('/'),
    requestTimeoutMs: reader.wholeNumber(timeoutKeys, { min: 1, max: 3_600_000 }) ?? 10_000,
  };
}

function readKeys(reader: SettingReader): S3Settings['credentials'] {
  const accessKeyId = reader.text([
    'MINIO_ACCESS_KEY_ID',
    'MINIO_ACCESS_KEY',
    'storage.accessKeyID',
    'minio.accessKeyID',
  ]);
  const secretAccessKey = reader.text([
    'MINIO_SECRET_ACCESS_KEY',
    'MINIO_SECRET_KEY',
    'storage.secretAccessKey',
    'minio.secretAccessKey',
  ]);
  if (accessKeyId === null && secretAccessKey === null) return null;
  if (accessKeyId === null) throw reader.refused('there is a secret access key but no access key id');
  if (secretAccessKey === null) throw reader.refused('there is an access key id but no secret access key');
  return { accessKeyId, secretAccessKey };
}

/** The address that somebody gave, or that of `fallback`; `null` when the service has its own. */
function readEndpoint(
  reader: SettingReader,
  fallback: { readonly host: string; readonly port: number } | null,
): string | null {
  const given = reader.found([
    'MINIO_ADDRESS',
    'storage.host',
    ...(fallback === null ? [] : ['minio.address']),
  ]);
  if (given === null && fallback === null) return null;
  const address = given?.text ?? fallback!.host;
  const parts = /^(?:(https?):\/\/)?([^\s/:]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?(\/[^\s]*)?$/.exec(address);
  if (parts === null)
    throw reader.refused(`${given?.name} is "${address}", it must be a host, with a port if you like`);
  const [, scheme, host, portInAddress, path = ''] = parts;
  // A port belongs to the address that it was written beside.
  const portKeys =
    { MINIO_ADDRESS: ['MINIO_PORT'], 'storage.host': ['storage.port'] }[given?.name ?? ''] ?? [];
  const port =
    portInAddress ??
    reader.wholeNumber([...portKeys, 'minio.port'], { min: 1, max: 65_535 }) ??
    (scheme === undefined ? fallback?.port : undefined);
  const usesSsl = reader.flag(['MINIO_USE_SSL', 'storage.useSSL', 'minio.useSSL']) ?? false;
  const base = `${scheme ?? (usesSsl ? 'https' : 'http')}://${host}`;
  return `${base}${port === undefined || port === null ? '' : `:${port}`}${path.replace(/\/+$/, '')}`;
}
