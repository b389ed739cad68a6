#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for what follows can say so.
const [major] = process.versions.node.split('.').map(Number);
if (major < 24) {
  process.stderr.write(
    `elanus: needs Node 24 or newer, this is ${process.versions.node} (npm start brings its own, npx elanus too).\n`,
  );
  process.exitCode = 1;
} else {
  await import('../src/elanus.ts');
}
