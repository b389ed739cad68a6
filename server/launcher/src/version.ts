/** Of this build, as in package.json. */
export const ELANUS_VERSION = '0.1.0';

/** What GetVersion answers: clients read features off the Milvus version that Elanus behaves like. */
export const SERVER_VERSION = `2.6.0-elanus-${ELANUS_VERSION}`;
