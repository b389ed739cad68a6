import { Catalog } from '@elanus/coordinator';
import { type LogDamage, type MessageLog, openMessageLog } from '@elanus/message-log';
import { openMetaStore } from '@elanus/meta-store';
import { type ChannelName, type CollectionInfo, dataIntegrity, TIMESTAMP_MIN } from '@elanus/model';
import { NodeDisk, noMetrics, silentLogger, systemClock, systemRandom } from '@elanus/runtime';
import { lossOfChannel } from '@elanus/worker';
import type { Configuration } from '../config/read-configuration.ts';
import { DataDirectory } from '../data-directory.ts';
import { StartError } from '../start-error.ts';
import { requireDataDirectory } from './require-data-directory.ts';

/**
 * Accepts for good that writes of a collection are lost: what the log of a server that does not run has lost of it by now,
 * and nothing else. From the next start on the collection serves what is left. Resolves to what was accepted.
 * @throws StartError when a server runs on the directory, or there is no such collection
 */
export async function acceptLoss(configuration: Configuration, name: string): Promise<readonly LogDamage[]> {
  await requireDataDirectory(configuration.dataDirectory);
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await DataDirectory.open(configuration.dataDirectory));
  const metaStore = opened.adopt(
    await openMetaStore({
      disk: new NodeDisk(),
      directory: directory.pathOf('catalog'),
      logger: silentLogger,
    }),
    (store) => store.close(),
  );
  const catalog = await Catalog.open(metaStore);
  const collection = collectionNamed(catalog, name);
  const log = opened.adopt(
    await openMessageLog({
      disk: new NodeDisk(),
      directory: directory.pathOf('log'),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      metrics: noMetrics,
    }),
    (messageLog) => messageLog.close(),
  );
  const damage = catalog.damageOf(collection.id);
  if (damage !== undefined) throw dataIntegrity(`catalog record ${damage.key}: ${damage.reason}`, null);
  const after = catalog.files.of(collection.id).checkpoint?.timestamp ?? TIMESTAMP_MIN;
  const accepted: LogDamage[] = [];
  for (const channel of collection.channels) accepted.push(...(await acceptOf(log, channel, after)));
  return accepted;
}

async function acceptOf(
  log: MessageLog,
  channel: ChannelName,
  after: typeof TIMESTAMP_MIN,
): Promise<readonly LogDamage[]> {
  if (!log.channels().includes(channel)) {
    await log.createChannel(channel);
    return [lossOfChannel(channel)];
  }
  const losses = log.notedLosses(channel).map(({ damage }) => damage);
  const known = new Set(losses.map(placeOf));
  const onLoss = (loss: LogDamage): void => {
    if (!known.has(placeOf(loss))) losses.push(loss);
  };
  for await (const _ of log.replay(channel, { after, onLoss }));
  if (losses.length > 0) await log.acceptLosses(channel, losses);
  return losses;
}

function placeOf({ file, offset, length }: LogDamage): string {
  return `${file}:${offset}:${length}`;
}

/** By `<name>`, of the default database, or `<database>.<name>`. */
function collectionNamed(catalog: Catalog, name: string): CollectionInfo {
  const found = catalog
    .collections()
    .find(
      (one) =>
        `${one.databaseName}.${one.name}` === name || (one.databaseName === 'default' && one.name === name),
    );
  if (found === undefined) throw new StartError(`there is no collection ${name}`);
  return found;
}
