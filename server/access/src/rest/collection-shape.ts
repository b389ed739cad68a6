import { optional, required } from './body.ts';

/** Of every body that names one collection. */
export const COLLECTION = { dbName: optional('string'), collectionName: required('string') };
