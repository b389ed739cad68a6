import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { cachePath } from './harness/cache.ts';
import { pythonEnvironment } from './harness/clients.ts';
import { runCommand } from './harness/command.ts';
import { serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite, python } from './harness/suite.ts';

const PACKAGES = ['schemathesis==4.32.5'];
const CHECKS = 'not_a_server_error,response_schema_conformance,content_type_conformance';

await conformanceSuite('pymilvus', 'schemathesis', [python], () => {
  test('no request that is made from the OpenAPI description, or against it, fails by our own fault', async () => {
    const directory = await pythonEnvironment('schemathesis', PACKAGES);
    await using server = await serverUnderTest();
    const args = ['run', `http://${server.address}/v2/openapi.json`, '--checks', CHECKS, '--no-color'];
    const runs = ['--phases', 'coverage,fuzzing', '--max-examples', '2', '--seed', '1'];
    const { exitCode, stdout } = await runCommand(join(directory, 'bin/schemathesis'), [...args, ...runs], {
      cwd: cachePath('python'),
    });
    assert.equal(exitCode, 0, stdout.slice(-8_000));
    assert.equal((await fetch(`http://${server.address}/`)).status, 200);
  });
});
