/**
 * Installs the servers that the tests of the buckets run against: `npm run services -w @elanus/object-store`. Ceph's
 * gateway (S3) comes from Debian's packages and needs root, Azurite (Azure) from npm, fake-gcs-server (Google) from
 * Go's modules. What can't be installed here is said, and its tests are skipped with that reason.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AZURITE, AZURITE_VERSION, CACHE, FAKE_GCS, FAKE_GCS_VERSION } from '../src/testing/emulator.ts';
import { whyNoRadosgw } from '../src/testing/radosgw.ts';

const CEPH = ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-common'];

interface Service {
  readonly name: string;
  readonly isThere: () => boolean;
  readonly commands: readonly (readonly [command: string, ...args: string[]])[];
  readonly environment?: Readonly<Record<string, string>>;
}

const SERVICES: readonly Service[] = [
  {
    name: 'radosgw',
    isThere: () => whyNoRadosgw() === null,
    commands: [
      ['apt-get', 'update', '-q'],
      ['apt-get', 'install', '-q', '-y', '--no-install-recommends', ...CEPH],
    ],
    environment: { DEBIAN_FRONTEND: 'noninteractive' },
  },
  {
    name: 'azurite',
    isThere: () => existsSync(AZURITE),
    commands: [
      [
        'npm',
        'install',
        '--no-audit',
        '--no-fund',
        '--prefix',
        join(CACHE, 'azurite'),
        `azurite@${AZURITE_VERSION}`,
      ],
    ],
  },
  {
    name: 'fake-gcs-server',
    isThere: () => existsSync(FAKE_GCS),
    commands: [['go', 'install', `github.com/fsouza/fake-gcs-server@${FAKE_GCS_VERSION}`]],
    environment: { GOBIN: CACHE },
  },
];

mkdirSync(CACHE, { recursive: true });
for (const { name, isThere, commands, environment } of SERVICES) {
  if (!isThere()) {
    for (const [command, ...args] of commands) {
      spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
    }
  }
  process.stdout.write(
    `${name}: ${isThere() ? 'is there' : 'can not be installed here, its tests are skipped'}\n`,
  );
}
