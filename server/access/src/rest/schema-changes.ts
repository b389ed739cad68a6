import { invalidParameter } from '@elanus/model';
import { encode } from '@elanus/proto';
import { optional, required } from './body.ts';
import { fieldOfBody, functionOfBody, structOfBody } from './collection-schema.ts';
import { COLLECTION } from './collection-shape.ts';
import { DONE, type Endpoints, endpoint } from './endpoint.ts';
import { readIndex } from './indexes.ts';
import { keyValues } from './key-values.ts';
import { missingParameters } from './rest-errors.ts';

/** Changes of the fields and the functions of collections that exist. */
export const schemaChanges: Endpoints = {
  'collections/fields/add': endpoint({ ...COLLECTION, schema: required('object') }, async (body, caller) => {
    await caller.ask('AddCollectionField', {
      collectionName: body.text('collectionName'),
      schema: encode('schema.FieldSchema', fieldOfBody(body.any('schema'))),
    });
    return DONE;
  }),
  'collections/fields/drop': endpoint(
    { ...COLLECTION, fieldName: optional('string'), fieldId: optional('int64') },
    async (body, caller) => {
      const fieldName = body.text('fieldName');
      if ((fieldName === '') === !body.has('fieldId'))
        throw invalidParameter('exactly one of fieldName and fieldId is needed');
      const dropRequest = fieldName === '' ? { fieldId: body.int64('fieldId') } : { fieldName };
      await caller.ask('AlterCollectionSchema', {
        collectionName: body.text('collectionName'),
        action: { dropRequest },
      });
      return DONE;
    },
  ),
  'collections/fields/alter_properties': endpoint(
    { ...COLLECTION, fieldName: required('string'), fieldParams: optional('object') },
    async (body, caller) => {
      await caller.ask('AlterCollectionField', {
        collectionName: body.text('collectionName'),
        fieldName: body.text('fieldName'),
        properties: keyValues(body.object('fieldParams')),
      });
      return DONE;
    },
  ),
  'collections/struct_fields/add': endpoint(
    { ...COLLECTION, schema: required('object') },
    async (body, caller) => {
      await caller.ask('AddCollectionStructField', {
        collectionName: body.text('collectionName'),
        structArrayFieldSchema: structOfBody(body.any('schema')),
      });
      return DONE;
    },
  ),
  'collections/add_function': endpoint(
    { ...COLLECTION, function: required('object') },
    async (body, caller) => {
      await caller.ask('AddCollectionFunction', {
        collectionName: body.text('collectionName'),
        functionSchema: functionOfBody(body.any('function')),
      });
      return DONE;
    },
  ),
  'collections/alter_function': endpoint(
    { ...COLLECTION, functionName: required('string'), function: required('object') },
    async (body, caller) => {
      await caller.ask('AlterCollectionFunction', {
        collectionName: body.text('collectionName'),
        functionName: body.text('functionName'),
        functionSchema: functionOfBody(body.any('function')),
      });
      return DONE;
    },
  ),
  // Milvus reads the name with a capital letter, its documents write it with a small one.
  'collections/drop_function': endpoint(
    { ...COLLECTION, functionName: optional('string'), FunctionName: optional('string') },
    async (body, caller) => {
      const functionName = body.text('functionName') || body.text('FunctionName');
      if (functionName === '') throw missingParameters('the member functionName is required');
      await caller.ask('DropCollectionFunction', {
        collectionName: body.text('collectionName'),
        functionName,
      });
      return DONE;
    },
  ),
  'collections/add_function_field': endpoint(
    {
      ...COLLECTION,
      function: required('object'),
      outputField: required('object'),
      indexParams: optional('object'),
    },
    async (body, caller) => {
      const fieldSchema = fieldOfBody(body.any('outputField'));
      const index = body.has('indexParams') ? readIndex(body.object('indexParams')) : null;
      if (index !== null && index.fieldName !== fieldSchema.name)
        throw invalidParameter('indexParams.fieldName is not the name of outputField');
      await caller.ask('AlterCollectionSchema', {
        collectionName: body.text('collectionName'),
        action: {
          addRequest: {
            fieldInfos: [
              { fieldSchema, indexName: index?.indexName ?? '', extraParams: index?.extraParams ?? [] },
            ],
            funcSchema: [functionOfBody(body.any('function'))],
          },
        },
      });
      return DONE;
    },
  ),
  'collections/drop_function_field': endpoint(
    { ...COLLECTION, functionName: required('string') },
    async (body, caller) => {
      await caller.ask('AlterCollectionSchema', {
        collectionName: body.text('collectionName'),
        action: {
          dropRequest: { functionName: body.text('functionName'), dropFunctionOutputFields: true },
        },
      });
      return DONE;
    },
  ),
};
