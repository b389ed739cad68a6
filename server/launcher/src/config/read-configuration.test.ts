import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { StartError } from '../start-error.ts';
import { nearestName } from './nearest-name.ts';
import { readConfiguration } from './read-configuration.ts';

const directory = mkdtempSync(join(tmpdir(), 'elanus-configuration-'));
after(() => rmSync(directory, { recursive: true }));

let files = 0;
function file(text: string): string {
  files += 1;
  const path = join(directory, `${files}.yaml`);
  writeFileSync(path, text);
  return path;
}

test('without anything set, the defaults are those of the README and of Milvus', async () => {
  const configuration = await readConfiguration({}, {}, '/somewhere');
  assert.equal(configuration.dataDirectory, '/somewhere/elanus-data');
  assert.equal(configuration.host, '127.0.0.1');
  assert.equal(configuration.port, 19_530);
  assert.equal(configuration.adminPort, 9_091);
  assert.equal(configuration.settings.access.receiveBytesMax, 67_108_864);
  assert.equal(configuration.settings.access.sendBytesMax, 268_435_456);
  assert.equal(configuration.settings.coordinator.partitionsMax, 1_024);
  assert.equal(configuration.settings.access.partitionKeyPartitions, 64);
  assert.deepEqual(configuration.warnings, []);
});

test('an option wins over ELANUS_*, that over Milvus’ variable, that over the file, that over the default', async () => {
  const config = file('proxy:\n  port: 5\n');
  const everything = { ELANUS_PORT: '2', PROXY_PORT: '3', ELANUS_CONFIG: config };
  const ports = [
    await readConfiguration({ port: '1' }, everything, '/'),
    await readConfiguration({}, everything, '/'),
    await readConfiguration({}, { ...everything, ELANUS_PORT: '' }, '/'),
    await readConfiguration({ config }, {}, '/'),
    await readConfiguration({}, {}, '/'),
  ].map(({ port }) => port);
  assert.deepEqual(ports, [1, 2, 3, 5, 19_530]);
});

test('METRICS_PORT is the admin port, as in Milvus', async () => {
  assert.equal((await readConfiguration({}, { METRICS_PORT: '7' }, '/')).adminPort, 7);
  assert.equal(
    (await readConfiguration({}, { METRICS_PORT: '7', ELANUS_ADMIN_PORT: '8' }, '/')).adminPort,
    8,
  );
});

test('keys are found nested or dotted, whatever their case', async () => {
  const config = file(
    'rootcoord:\n  MaxPartitionNum: 4096\nproxy.grpc.servermaxrecvsize: 128m\nLOG: { level: WARN }\n',
  );
  const { settings, warnings } = await readConfiguration({ config }, {}, '/');
  assert.equal(settings.access.partitionsMax, 4_096);
  assert.equal(settings.coordinator.partitionsMax, 4_096);
  assert.equal(settings.access.receiveBytesMax, 128 * 1024 * 1024);
  assert.equal(settings.logLevel, 'warn');
  assert.deepEqual(warnings, []);
});

test('seconds may be fractions of one', async () => {
  const config = file('proxy: { slowQuerySpanInSeconds: 0.25 }');
  const { settings } = await readConfiguration({ config }, {}, '/');
  assert.equal(settings.access.slowQueryMs, 250);
  assert.equal((await readConfiguration({}, {}, '/')).settings.access.slowQueryMs, 5_000);
});

test('REST has a time of its own, and a form of int64 for who does not say', async () => {
  const config = file('proxy: { http: { requestTimeoutMs: 1500, acceptTypeAllowInt64: false, port: 8080 } }');
  const { settings, warnings } = await readConfiguration({ config }, {}, '/');
  assert.deepEqual([settings.access.restRequestMs, settings.access.restInt64], [1_500, 'string']);
  assert.deepEqual(warnings, []);
  const usual = (await readConfiguration({}, {}, '/')).settings.access;
  assert.deepEqual([usual.restRequestMs, usual.restInt64], [30_000, 'number']);
});

test('keys of Milvus without a meaning here are accepted in silence', async () => {
  const config = file(
    'etcd:\n  endpoints: [a, b]\nminio: { address: x }\nproxy:\n  http:\n    enabled: true\ncommon:\n' +
      '  security:\n    authorizationEnabled: false\n    tlsMode: 0\nqueryNode: { mmap: { vectorField: true } }\n',
  );
  assert.deepEqual((await readConfiguration({ config }, {}, '/')).warnings, []);
});

test('an unknown key is a warning that names it and the nearest known one', async () => {
  const config = file('proxy:\n  maxFeildNum: 3\npulsr:\n  address: x\nqqqqqqqqqq: 1\n');
  const { warnings } = await readConfiguration({ config }, {}, '/');
  assert.equal(warnings.length, 3);
  assert.match(warnings[0]!, /^unknown key proxy\.maxFeildNum in .*; did you mean proxy\.maxFieldNum\?$/);
  assert.match(warnings[1]!, /^unknown key pulsr\.address in .*; did you mean pulsar\?$/);
  assert.match(warnings[2]!, /^unknown key qqqqqqqqqq in [^;]*$/);
});

test('a slip in a key that has a meaning is a warning also where any key is accepted', async () => {
  const config = file(
    'dataCoord: { segment: { maxSzie: 100, diskSegmentMaxSize: 2048 }, gc: { scanInterval: 1 } }\n' +
      'proxy: { http: { requestTimeoutMS: 5, requestTimeotMs: 5, enabled: true } }\n',
  );
  const { warnings } = await readConfiguration({ config }, {}, '/');
  assert.equal(warnings.length, 2);
  assert.match(
    warnings[0]!,
    /dataCoord\.segment\.maxSzie in .*; did you mean dataCoord\.segment\.maxSize\?$/,
  );
  assert.match(
    warnings[1]!,
    /proxy\.http\.requestTimeotMs .*; did you mean proxy\.http\.requestTimeoutMs\?$/,
  );
});

test('whoever asks for passwords or TLS is told that there are none', async () => {
  const config = file('common: { security: { authorizationEnabled: true, tlsMode: 2 } }');
  const { warnings } = await readConfiguration({ config }, {}, '/');
  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /every client is let in/);
  assert.match(warnings[1]!, /not encrypted/);
});

const REFUSED: readonly {
  why: string;
  text?: string;
  options?: object;
  environment?: object;
  sentence: RegExp;
}[] = [
  {
    why: 'no number',
    text: 'proxy: { maxFieldNum: many }',
    sentence: /^proxy\.maxFieldNum is "many", it must be a whole number from 1 to 1024$/,
  },
  {
    why: 'no time',
    text: 'proxy: { slowQuerySpanInSeconds: -1 }',
    sentence: /^proxy\.slowQuerySpanInSeconds is -1, it must be seconds from 0 to /,
  },
  {
    why: 'out of range',
    options: { port: '65536' },
    sentence: /^--port is "65536", it must be a whole number from 0 to 65535$/,
  },
  {
    why: 'a variable out of range',
    environment: { ELANUS_ADMIN_PORT: '-1' },
    sentence: /^ELANUS_ADMIN_PORT is "-1"/,
  },
  {
    why: 'no level',
    environment: { LOG_LEVEL: 'loud' },
    sentence: /^LOG_LEVEL is "loud", it must be one of debug, info, /,
  },
  { why: 'no YAML', text: 'proxy: [', sentence: /is not YAML/ },
  { why: 'no mapping', text: '- a\n- b', sentence: /must hold keys and values/ },
  { why: 'no file', options: { config: 'absent.yaml' }, sentence: /absent\.yaml: there is no such file$/ },
  { why: 'a directory', options: { config: '.' }, sentence: /^cannot read .*: it is a directory$/ },
];

for (const { why, text, options = {}, environment = {}, sentence } of REFUSED) {
  test(`refuses to start with one sentence: ${why}`, async () => {
    const config = text === undefined ? {} : { config: file(text) };
    await assert.rejects(
      readConfiguration({ ...config, ...options }, { ...environment }, directory),
      (error) => {
        assert.ok(error instanceof StartError);
        assert.match(error.message, sentence);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  });
}

test('the nearest name is what a slip of the finger turns into the name', () => {
  const names = ['proxy.port', 'proxy.maxFieldNum', 'log.level'];
  assert.equal(nearestName('proxy.prot', names), 'proxy.port');
  assert.equal(nearestName('PROXY.MAXFIELDNUMBER', names), 'proxy.maxFieldNum');
  assert.equal(nearestName('something.else', names), undefined);
  assert.equal(nearestName('', names), undefined);
});

test('objects lie in the data directory unless a bucket is named, in any of the three ways', async () => {
  const storeOf = async (text: string, environment: Record<string, string> = {}) =>
    (await readConfiguration({ config: file(text), data: '/d' }, environment, '/')).objectStore;
  assert.deepEqual(await storeOf(''), { type: 'local', directory: '/d/objects' });
  const s3 = { type: 's3', endpoint: 'http://minio:9000', bucket: 'a-bucket', prefix: 'files' };
  assert.partialDeepStrictEqual(await storeOf('', { MINIO_ADDRESS: 'minio:9000' }), s3);
  const milvus = 'common: { storageType: remote }\nminio: { address: minio, bucketName: b, rootPath: p }\n';
  assert.partialDeepStrictEqual(await storeOf(milvus), { ...s3, bucket: 'b', prefix: 'p' });
  const block =
    'storage: { type: s3, host: minio, port: 9000, path: p, accessKeyID: a, secretAccessKey: s }\n';
  assert.partialDeepStrictEqual(await storeOf(block), { ...s3, prefix: 'p' });
  const { warnings } = await readConfiguration({ config: file(`${milvus}${block}`) }, {}, '/');
  assert.deepEqual(warnings, []);
});

test('an object store that can’t be meant is refused by name', async () => {
  const config = file('storage: { type: ftp }\n');
  await assert.rejects(readConfiguration({ config }, {}, '/'), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /^storage\.type is "ftp", it must be one of local, s3, minio, gcs, azure$/);
    return true;
  });
  const { warnings } = await readConfiguration({ config: file('minio: { adress: x }\n') }, {}, '/');
  assert.match(warnings[0]!, /unknown key minio\.adress .*did you mean minio\.address\?/);
});

test('what decides when rows go to files is read from Milvus’ keys', async () => {
  const text =
    'dataCoord:\n  segment: { maxSize: 100, sealProportion: 0.5, maxLife: 60 }\n  gc: { interval: 5 }\n';
  const { settings, warnings } = await readConfiguration({ config: file(text) }, {}, directory);
  assert.equal(settings.flush.seal.bytesMax, 50 * 1024 * 1024);
  assert.equal(settings.flush.seal.lifeMsMax, 60_000);
  assert.equal(settings.flush.seal.idleMsMax, 600_000);
  assert.equal(settings.flush.collect.intervalMs, 5_000);
  assert.deepEqual(warnings, []);
  const refused = file('dataCoord: { segment: { sealProportion: 2 } }');
  await assert.rejects(readConfiguration({ config: refused }, {}, directory), /above 0 and up to 1/);
});
