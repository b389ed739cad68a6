import { optional, required } from './body.ts';
import { type Endpoints, endpoint } from './endpoint.ts';

/** What analyzers make of texts. */
export const text: Endpoints = {
  'common/run_analyzer': endpoint(
    {
      dbName: optional('string'),
      text: required('strings'),
      analyzerParams: optional('string'),
      withDetail: optional('boolean'),
      withHash: optional('boolean'),
      collectionName: optional('string'),
      fieldName: optional('string'),
      analyzerNames: optional('strings'),
    },
    async (body, caller) => {
      const withDetail = body.flag('withDetail');
      const withHash = body.flag('withHash');
      const { results } = await caller.ask('RunAnalyzer', {
        placeholder: body.texts('text').map((one) => Buffer.from(one)),
        analyzerParams: body.text('analyzerParams'),
        withDetail,
        withHash,
        collectionName: body.text('collectionName'),
        fieldName: body.text('fieldName'),
        analyzerNames: body.texts('analyzerNames'),
      });
      const shown = results.map(({ tokens }) => ({
        tokens: tokens.map(({ token, startOffset, endOffset, position, positionLength, hash }) => ({
          token,
          ...(withDetail
            ? {
                startOffset: Number(startOffset),
                endOffset: Number(endOffset),
                position: Number(position),
                positionLength: Number(positionLength),
              }
            : {}),
          ...(withHash ? { hash } : {}),
        })),
      }));
      return { data: { results: shown } };
    },
  ),
};
