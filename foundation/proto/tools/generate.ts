/**
 * Writes the codec of the Milvus protocol into src/generated: one reader and one writer function for every message
 * that a method of MilvusService can reach, and their types. The descriptors are those inside the official Node
 * SDK, so that the version of a development dependency pins the protocol.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { writeDeclarations } from './declarations.ts';
import { writeFunctions } from './functions.ts';
import { writeMethodDeclarations, writeMethods } from './methods.ts';
import { reachableTypes } from './reachable.ts';

const SERVICE = 'milvus.proto.milvus.MilvusService';
/** Parsed by hand-written readers or encoded beforehand, never by a method's own request or response. */
const FURTHER_MESSAGES = [
  'milvus.proto.schema.CollectionSchema',
  'milvus.proto.schema.FieldData',
  'milvus.proto.schema.SearchResultData',
  'milvus.proto.common.PlaceholderGroup',
];

const output = join(import.meta.dirname, '../src/generated');
const require = createRequire(import.meta.url);
const descriptors = require('@zilliz/milvus2-sdk-node/dist/milvus/proto-json/milvus.base.js') as {
  default: object;
};
const root = protobuf.Root.fromJSON(descriptors.default as protobuf.INamespace).resolveAll();
const service = root.lookupService(SERVICE);
const types = reachableTypes(
  service,
  FURTHER_MESSAGES.map((name) => root.lookupType(name)),
);

mkdirSync(output, { recursive: true });
writeFileSync(join(output, 'messages.js'), writeFunctions(types));
writeFileSync(join(output, 'messages.d.ts'), writeDeclarations(types));
writeFileSync(join(output, 'methods.js'), writeMethods(service));
writeFileSync(join(output, 'methods.d.ts'), writeMethodDeclarations(service));
