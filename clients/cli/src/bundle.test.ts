import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

let workspace: string;
let source: string;

const started = () =>
  execFileSync(process.execPath, [join(workspace, 'clients/cli/bin/elanus.js')], { encoding: 'utf8' }).trim();

beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'elanus-bundle-'));
  const command = join(workspace, 'clients', 'cli');
  for (const folder of ['bin', 'src', 'build']) mkdirSync(join(command, folder), { recursive: true });
  writeFileSync(join(workspace, 'package.json'), '{"type":"module"}');
  copyFileSync(join(import.meta.dirname, '../bin/elanus.js'), join(command, 'bin/elanus.js'));
  source = join(command, 'src/elanus.ts');
  writeFileSync(source, "console.log('sources')");
  writeFileSync(join(command, 'build/elanus.js'), "console.log('bundle')");
  const { mtimeMs, size } = statSync(source);
  const sources = JSON.stringify([['clients/cli/src/elanus.ts', mtimeMs, size]]);
  writeFileSync(join(command, 'build/sources.json'), sources);
});

afterEach(() => rmSync(workspace, { recursive: true, force: true }));

test('starts from the bundle while the sources are as they were', () => {
  assert.equal(started(), 'bundle');
});

test('starts from the sources after an edit', () => {
  appendFileSync(source, ';');
  assert.equal(started(), 'sources');
});

test('starts from the sources where nobody has bundled', () => {
  rmSync(join(workspace, 'clients/cli/build'), { recursive: true });
  assert.equal(started(), 'sources');
});

test('starts from the sources when the list of them is damaged', () => {
  writeFileSync(join(workspace, 'clients/cli/build/sources.json'), '[["clients/cli/src/elan');
  assert.equal(started(), 'sources');
});
