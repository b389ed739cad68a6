import { parentPort } from 'node:worker_threads';
import type { ExportReply, ExportRequest } from './export-messages.ts';
import { type FileMaker, fileMaker, longestText } from './file-makers.ts';

const port = parentPort!;
let maker: FileMaker | null = null;

async function answer(request: ExportRequest): Promise<ExportReply> {
  switch (request.kind) {
    case 'begin':
      maker = fileMaker(request.file);
      return { kind: 'bytes', bytes: maker.begin() };
    case 'rows':
      return { kind: 'bytes', bytes: await maker!.rows(request.rows, request.columns) };
    case 'end':
      return { kind: 'bytes', bytes: await maker!.end() };
    case 'measure':
      return { kind: 'width', width: longestText(request.column) };
  }
}

/** One request after the other. */
let turn: Promise<unknown> = Promise.resolve();

port.on('message', (request: ExportRequest) => {
  turn = turn
    .then(() => answer(request))
    .catch((error: unknown): ExportReply => {
      return {
        kind: 'failed',
        reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
      };
    })
    .then((reply) => port.postMessage(reply));
});
