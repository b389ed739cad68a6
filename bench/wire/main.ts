/**
 * Measures through the wire, in one run on one machine: Elanus, Milvus 2.3.5, milvus-lite and PostgreSQL with pgvector.
 *
 *   npm run bench:wire                     everything
 *   npm run bench:wire -- --only insert    one of: start, insert, fresh, exact, keys, mixed, ingest, search,
 *                                          text, forms, iterator, pymilvus, rest, import, import-memory, reopen,
 *                                          reopen-peers
 *   npm run bench:wire -- --peers elanus   one of, or several of: elanus, milvus, milvus-lite, pgvector (search only)
 *   npm run bench:wire -- --dim 128        of search the data set of so many dimensions alone: 128 or 768
 *   npm run bench:wire -- --scale 0.05     of the rows of search, forms, iterator, import and import-memory this share: whether it works, not how fast
 */
import { parseArgs } from 'node:util';
import { type Peer, startElanus, startMilvus, startMilvusLite, startPgvector } from './peers.ts';
import { measureExactSearch } from './section-exact.ts';
import { measureForms } from './section-forms.ts';
import { measureFreshRows } from './section-fresh.ts';
import { measureImport } from './section-import.ts';
import { measureImportMemory } from './section-import-memory.ts';
import { measureIngest } from './section-ingest.ts';
import { measureInsert } from './section-insert.ts';
import { measureIterator } from './section-iterator.ts';
import { measureKeys } from './section-keys.ts';
import { measureMixed } from './section-mixed.ts';
import { measurePymilvus } from './section-pymilvus.ts';
import { measureReopen } from './section-reopen.ts';
import { measureReopenBesidePeers } from './section-reopen-peers.ts';
import { measureRest } from './section-rest.ts';
import { measureSearch } from './section-search.ts';
import { measureText } from './section-text.ts';
import { Table } from './table.ts';

const STARTERS = {
  elanus: startElanus,
  milvus: startMilvus,
  'milvus-lite': startMilvusLite,
  pgvector: startPgvector,
} as const;
type PeerName = keyof typeof STARTERS;

const speaksMilvus = ({ speaks }: Peer): boolean => speaks === 'milvus';

/** Sections whose ratios are small, or whose goals are: the servers run side by side and take turns, because the machine's speed wanders. */
const DUELS: Readonly<
  Record<string, (peers: readonly Peer[], table: Table, scale: number) => Promise<void>>
> = {
  insert: (peers, into) => measureInsert(peers.filter(speaksMilvus), into),
  keys: (peers, into) => measureKeys(peers.filter(speaksMilvus), into),
  search: (peers, into, share) => measureSearch(peers, into, share, options.dim),
};

const SECTIONS: Readonly<Record<string, (peer: Peer, table: Table, scale: number) => Promise<void>>> = {
  fresh: measureFreshRows,
  exact: measureExactSearch,
  mixed: measureMixed,
  ingest: measureIngest,
  text: measureText,
  forms: measureForms,
  iterator: measureIterator,
  pymilvus: measurePymilvus,
  rest: measureRest,
  import: measureImport,
};

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    peers: { type: 'string', multiple: true },
    scale: { type: 'string', default: '1' },
    dim: { type: 'string' },
  },
});
const scale = Number(options.scale);
if (!(scale > 0 && scale <= 1)) throw new Error(`--scale ${options.scale} is no share: above 0, at most 1`);
const wanted = (section: string) => !options.only || options.only.includes(section);
const peers = (options.peers ?? Object.keys(STARTERS)) as PeerName[];
const table = new Table();
const names: string[] = [];

if (Object.keys(DUELS).some(wanted)) {
  const rivals: Peer[] = [];
  try {
    for (const name of peers)
      if (name !== 'pgvector' || wanted('search')) rivals.push(await STARTERS[name]());
    for (const [section, measure] of Object.entries(DUELS))
      if (wanted(section)) await measure(rivals, table, scale);
  } finally {
    for (const rival of rivals) await rival.stop();
  }
  names.push(...rivals.map((rival) => rival.name));
}
const isAlone = ['start', ...Object.keys(SECTIONS)].some(wanted);
for (const name of isAlone ? peers : []) {
  if (name === 'pgvector' && !wanted('start')) continue;
  const peer = await STARTERS[name]();
  if (!names.includes(peer.name)) names.push(peer.name);
  try {
    if (wanted('start')) {
      table.add(peer, {
        measurement: 'start to first answer',
        value: peer.startMs,
        unit: 'ms',
        better: 'less',
      });
      table.add(peer, {
        measurement: 'memory when idle',
        value: peer.residentMiB(),
        unit: 'MiB',
        better: 'less',
      });
    }
    for (const [section, measure] of Object.entries(SECTIONS))
      if (wanted(section) && speaksMilvus(peer)) await measure(peer, table, scale);
  } finally {
    const stopMs = await peer.stop();
    if (wanted('start')) {
      table.add(peer, { measurement: 'SIGTERM to end', value: stopMs, unit: 'ms', better: 'less' });
    }
  }
}
if (wanted('import-memory') && peers.includes('elanus')) {
  const shown = await measureImportMemory(table, scale);
  if (!names.includes(shown)) names.push(shown);
}
if (wanted('reopen') && peers.includes('elanus')) await measureReopen(table);
for (const name of wanted('reopen-peers') ? peers : []) {
  if (name === 'pgvector') continue;
  const shown = await measureReopenBesidePeers(STARTERS[name], table);
  if (!names.includes(shown)) names.push(shown);
}
console.log(table.toMarkdown(names));
if (wanted('search') && peers.includes('elanus')) console.log(`\n${table.toMarkdown(['echo'])}`);
