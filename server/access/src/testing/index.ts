export { type Call, call, isInputError, legacyCodeOf, type Mistake, type Told } from './mistake.ts';
export { MISTAKES } from './mistakes.ts';
export { PREPARED_COLLECTIONS, PREPARED_ROWS } from './prepared-collections.ts';
