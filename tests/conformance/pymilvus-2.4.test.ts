/** Beside the newest one in a file of its own, so that the two run side by side. */
import { caseFiles, pymilvusSuite } from './harness/pymilvus-suite.ts';

await pymilvusSuite('2.4.15', caseFiles);
