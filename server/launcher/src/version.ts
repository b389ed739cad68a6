/** Of this build, as in package.json; the ready line names it. */
export const ELANUS_VERSION = '0.1.0';

/**
 * What GetVersion answers: the Milvus version that Elanus behaves like. Clients and user programs compare it as a
 * semantic version to switch features on, so it stays plain: a suffix would make it older than 2.6.
 */
export const SERVER_VERSION = '2.6.6';
