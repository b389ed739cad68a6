export { ElanusProcess } from './elanus-process.ts';
export { parseReadyLine, untilReady } from './ready-line.ts';
