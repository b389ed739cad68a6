import type { AccessDependencies, Handlers } from '../handler.ts';

/** Connect, GetVersion, CheckHealth, AllocTimestamp. */
export function connectionHandlers({ root, version }: AccessDependencies): Handlers {
  return {
    async Connect(_request, context) {
      await root.describeDatabase(context.database);
      return {
        identifier: await root.allocateTimestamp(),
        serverInfo: { buildTags: version, deployMode: 'STANDALONE' },
      };
    },

    async GetVersion() {
      return { version };
    },

    async CheckHealth() {
      return { isHealthy: true };
    },

    async AllocTimestamp() {
      return { timestamp: await root.allocateTimestamp() };
    },
  };
}
