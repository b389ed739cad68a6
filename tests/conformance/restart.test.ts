import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ElanusProcess } from '@elanus/tests-harness';
import { IndexShelf } from './harness/index-shelf.ts';
import { Shelf } from './harness/shelf.ts';
import { conformanceSuite } from './harness/suite.ts';
import { withClient } from './harness/with-client.ts';

await conformanceSuite('restart', 'a server that starts again', [], () => {
  let server: ElanusProcess;
  before(async () => {
    server = await ElanusProcess.start();
  });
  after(async () => await server?.[Symbol.asyncDispose]());

  test('finds everything after SIGTERM, which ends it with exit code 0', async () => {
    const shelf = new Shelf('after_sigterm');
    await withClient(server, async (client) => await shelf.fill(client));
    assert.equal(await server.stop(), 0);
    await server.startAgain();
    await withClient(server, async (client) => await shelf.check(client));
  });

  test('finds everything that was acknowledged after kill -9', async () => {
    const shelf = new Shelf('after_kill');
    await withClient(server, async (client) => await shelf.fill(client));
    await server.kill();
    await server.startAgain();
    await withClient(server, async (client) => await shelf.check(client));
  });

  test('finds every acknowledged batch after kill -9 amid writes, and no half of one', async () => {
    const shelf = new Shelf('amid_writes');
    const acknowledged = await withClient(server, async (client) => {
      await shelf.create(client);
      return await shelf.writeUntil(client, async () => await server.kill());
    });
    await server.startAgain();
    await withClient(server, async (client) => await shelf.checkBatches(client, acknowledged));
  });

  test('goes on writing where it ended: keys, time and partitions', async () => {
    const shelf = new Shelf('goes_on');
    await withClient(server, async (client) => await shelf.fill(client));
    for (let round = 0; round < 3; round++) {
      await (round % 2 === 0 ? server.kill() : server.stop());
      await server.startAgain();
      await withClient(server, async (client) => await shelf.fillMore(client));
    }
    await withClient(server, async (client) => await shelf.check(client));
  });

  test('finds by indexes on disk and over bits what it found before, and builds none anew', async () => {
    const shelf = new IndexShelf('indexed');
    await withClient(server, async (client) => await shelf.fill(client, server));
    await server.kill();
    await server.startAgain();
    await withClient(server, async (client) => await shelf.check(client));
    assert.equal(await server.metric('elanus_index_builds_total'), 0);
  });
});
