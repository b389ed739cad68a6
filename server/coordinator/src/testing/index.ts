export { type Deployment, type DeploymentOptions, openDeployment } from './deployment.ts';
export { FakeStreamingWorker } from './fake-streaming-worker.ts';
export { field, schemaOf } from './schema-fixture.ts';
export { type CommitFault, UnreliableMetaStore } from './unreliable-meta-store.ts';
