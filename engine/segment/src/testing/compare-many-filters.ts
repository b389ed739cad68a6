/**
 * The long run of `compareFilters`: a million evaluations, or as many as are asked for.
 * `npm run filters:compare -- [evaluations] [seed]`
 */
import { compareFilters } from './compare-filters.ts';

const evaluations = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
const REPORTED_SCHEMAS = 100;

const done = await compareFilters(seed, evaluations, (soFar) => {
  if (soFar.schemas % REPORTED_SCHEMAS === 0)
    console.log(`${soFar.schemas} schemas, ${soFar.filters} filters, ${soFar.evaluations} evaluations`);
});
console.log(
  `${done.evaluations} evaluations of ${done.filters} filters over ${done.schemas} schemas are as they should be;` +
    ` indexes had an answer to ${done.byIndex}`,
);
