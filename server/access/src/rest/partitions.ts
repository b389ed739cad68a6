import { required } from './body.ts';
import { COLLECTION } from './collection-shape.ts';
import { DONE, type Endpoints, endpoint } from './endpoint.ts';
import { rowCountOf } from './key-values.ts';

const PARTITION = { ...COLLECTION, partitionName: required('string') };
const PARTITIONS = { ...COLLECTION, partitionNames: required('strings') };

export const partitions: Endpoints = {
  'partitions/list': endpoint(COLLECTION, async (body, caller) => {
    const { partitionNames } = await caller.ask('ShowPartitions', {
      collectionName: body.text('collectionName'),
    });
    return { data: partitionNames };
  }),
  'partitions/has': endpoint(PARTITION, async (body, caller) => {
    const { value } = await caller.ask('HasPartition', {
      collectionName: body.text('collectionName'),
      partitionName: body.text('partitionName'),
    });
    return { data: { has: value } };
  }),
  'partitions/get_stats': endpoint(PARTITION, async (body, caller) => {
    const { stats } = await caller.ask('GetPartitionStatistics', {
      collectionName: body.text('collectionName'),
      partitionName: body.text('partitionName'),
    });
    return { data: { rowCount: rowCountOf(stats) } };
  }),
  'partitions/create': endpoint(PARTITION, async (body, caller) => {
    await caller.ask('CreatePartition', {
      collectionName: body.text('collectionName'),
      partitionName: body.text('partitionName'),
    });
    return DONE;
  }),
  'partitions/drop': endpoint(PARTITION, async (body, caller) => {
    await caller.ask('DropPartition', {
      collectionName: body.text('collectionName'),
      partitionName: body.text('partitionName'),
    });
    return DONE;
  }),
  'partitions/load': endpoint(PARTITIONS, async (body, caller) => {
    await caller.ask('LoadPartitions', {
      collectionName: body.text('collectionName'),
      partitionNames: body.texts('partitionNames'),
    });
    return DONE;
  }),
  'partitions/release': endpoint(PARTITIONS, async (body, caller) => {
    await caller.ask('ReleasePartitions', {
      collectionName: body.text('collectionName'),
      partitionNames: body.texts('partitionNames'),
    });
    return DONE;
  }),
};
