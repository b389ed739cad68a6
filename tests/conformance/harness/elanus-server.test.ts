import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReadyLine } from './elanus-server.ts';

test('reads the pairs of the ready line, quoted values too', () => {
  const line = String.raw`elanus ready grpc=127.0.0.1:19530 admin=127.0.0.1:9091 data="/srv/my \"data\"" version=0.1.0 ms=312`;
  assert.deepEqual(Object.fromEntries(parseReadyLine(line)), {
    grpc: '127.0.0.1:19530',
    admin: '127.0.0.1:9091',
    data: '/srv/my "data"',
    version: '0.1.0',
    ms: '312',
  });
});
