export { fieldFixture, schemaFixture } from './schema-fixture.ts';
