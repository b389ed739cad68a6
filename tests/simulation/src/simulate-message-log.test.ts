import { test } from 'node:test';
import { damageMessageLog } from './damage-message-log.ts';
import { runSeeds } from './run-seeds.ts';
import { simulateMessageLog } from './simulate-message-log.ts';

test('the message log keeps its promises through crashes, full disks and failing syncs, on 100 seeds', () =>
  runSeeds(simulateMessageLog, { first: 1, count: 100 }));

test('the message log serves all but the damaged records when bits flip, on 100 seeds', () =>
  runSeeds(damageMessageLog, { first: 1, count: 100 }));
