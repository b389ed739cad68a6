import { join, resolve } from 'node:path';
import type { ModelSettings } from '@elanus/functions';
import {
  type ObjectStoreSettings,
  ObjectStoreSettingsError,
  type ObjectStoreSettingsSources,
  readObjectStoreSettings,
} from '@elanus/object-store';
import { StartError } from '../start-error.ts';
import { NO_CONFIGURATION_FILE, readConfigurationFile } from './configuration-file.ts';
import { readModelSettings } from './model-settings.ts';
import { type Setting, wholeNumber } from './setting.ts';
import { readSettings, SETTINGS, type Settings } from './settings.ts';

/** What the command line may say; the strings are as they were typed. */
export interface StartOptions {
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly adminPort?: string | undefined;
  readonly config?: string | undefined;
}

export interface Configuration {
  /** Absolute. */
  readonly dataDirectory: string;
  readonly host: string;
  /** 0: any free one, here and below. */
  readonly port: number;
  readonly adminPort: number;
  readonly settings: Settings;
  /** Which models may be asked, and the secrets for it. */
  readonly models: ModelSettings;
  /** Where segments and indexes lie; by default in the data directory. */
  readonly objectStore: ObjectStoreSettings;
  /** For whoever wrote the configuration: keys that nobody knows, promises that are not kept. */
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const PORT = { min: 0, max: 65_535 } as const;
const ADMIN_PORT_DEFAULT = 9_091;
/** Of the data directory. */
const OBJECTS_DIRECTORY = 'objects';

/**
 * An option of the command line wins over the environment variable `ELANUS_...`, that over the environment variable
 * Milvus has for the key (`PROXY_PORT`, `METRICS_PORT`), that over the file, that over the default.
 * @throws StartError for what can't be read or can't be meant
 */
export async function readConfiguration(
  options: StartOptions,
  environment: Environment,
  workingDirectory: string,
): Promise<Configuration> {
  const configPath = options.config ?? set(environment.ELANUS_CONFIG);
  const file =
    configPath === undefined
      ? NO_CONFIGURATION_FILE
      : await readConfigurationFile(resolve(workingDirectory, configPath));

  function read<Value>(setting: Setting<Value>): Value {
    const variable = variableOf(setting.key);
    const fromEnvironment = set(environment[variable]);
    if (fromEnvironment !== undefined) return setting.read(fromEnvironment, variable);
    const fromFile = file.value(setting.key);
    return fromFile === undefined ? setting.fallback : setting.read(fromFile, setting.key);
  }
  const portOf = (option: string, variable: string, typed: string | undefined) => {
    const value = typed ?? set(environment[variable]);
    const origin = typed === undefined ? variable : option;
    return value === undefined ? undefined : wholeNumber(option, 0, PORT).read(value, origin);
  };

  const dataDirectory = resolve(
    workingDirectory,
    options.data ?? set(environment.ELANUS_DATA) ?? 'elanus-data',
  );
  return {
    dataDirectory,
    host: options.host ?? set(environment.ELANUS_HOST) ?? '127.0.0.1',
    port: portOf('--port', 'ELANUS_PORT', options.port) ?? read(SETTINGS.port),
    adminPort:
      portOf('--admin-port', 'ELANUS_ADMIN_PORT', options.adminPort) ??
      portOf('--admin-port', 'METRICS_PORT', undefined) ??
      ADMIN_PORT_DEFAULT,
    settings: readSettings(read),
    models: readModelSettings({ read, below: (section) => file.below(section), environment }),
    objectStore: objectStoreOf({
      environment,
      value: (key) => file.value(key),
      workingDirectory,
      directoryDefault: join(dataDirectory, OBJECTS_DIRECTORY),
    }),
    warnings: file.warnings,
  };
}

function objectStoreOf(sources: ObjectStoreSettingsSources): ObjectStoreSettings {
  try {
    return readObjectStoreSettings(sources);
  } catch (error) {
    if (error instanceof ObjectStoreSettingsError) throw new StartError(error.message, error);
    throw error;
  }
}

/** A variable that is set to nothing counts as not set. */
function set(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** `proxy.grpc.serverMaxRecvSize` → `PROXY_GRPC_SERVERMAXRECVSIZE`. */
function variableOf(key: string): string {
  return key.toUpperCase().replaceAll('.', '_');
}
