/** Where objects lie, and how to get there. */
export type ObjectStoreSettings = LocalSettings | S3Settings | GcsSettings | AzureSettings;

export interface LocalSettings {
  readonly type: 'local';
  /** Absolute. */
  readonly directory: string;
}

interface BucketSettings {
  /** Of Azure: the container. */
  readonly bucket: string;
  /** In front of all keys; without a slash at either end, empty for none. */
  readonly prefix: string;
  /** How long to wait for an answer, the time for its bytes not counted. */
  readonly requestTimeoutMs: number;
}

export interface S3Settings extends BucketSettings {
  readonly type: 's3';
  /** `http://host:port`; `null`: Amazon's own for the region. */
  readonly endpoint: string | null;
  readonly region: string;
  /** `null`: what the SDK finds in environment, profile or role. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
  /** The bucket as the first name of the path, not of the host. */
  readonly usePathStyle: boolean;
  /** PEM of the authority that signed the server's certificate; `null`: those that the machine trusts. */
  readonly caCertificate: string | null;
}

export interface GcsSettings extends BucketSettings {
  readonly type: 'gcs';
  /** `null`: Google's own. */
  readonly endpoint: string | null;
  /** The key file's JSON; `null`: what the library finds in environment or role. */
  readonly credentialsJson: string | null;
}

export interface AzureSettings extends BucketSettings {
  readonly type: 'azure';
  /** `null`: Azure's own for the account. */
  readonly endpoint: string | null;
  readonly account: string;
  /** `null`: requests are not signed with a key. */
  readonly accountKey: string | null;
}
