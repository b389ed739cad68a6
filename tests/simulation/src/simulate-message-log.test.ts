import { test } from 'node:test';
import { damageMessageLog } from './damage-message-log.ts';
import { runSeeds } from './run-seeds.ts';
import { simulateMessageLog } from './simulate-message-log.ts';
import { SIMULATED_SEEDS } from './simulated-seeds.ts';

test(`the message log keeps its promises through crashes, full disks and failing syncs, on ${SIMULATED_SEEDS} seeds`, () =>
  runSeeds(simulateMessageLog, { first: 1, count: SIMULATED_SEEDS }));

test(`the message log serves all but the damaged records when bits flip, on ${SIMULATED_SEEDS} seeds`, () =>
  runSeeds(damageMessageLog, { first: 1, count: SIMULATED_SEEDS }));
