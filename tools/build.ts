/** What `npm ci` runs at its end: generates the protocol's codec, compiles the kernel, bundles, starts the server once. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const steps = [
  'foundation/proto/tools/generate.ts',
  'engine/kernel/tools/build.ts',
  'tools/bundle-shapes.ts',
  'tools/bundle.ts',
  'tools/warm-start.ts',
];
for (const step of steps) {
  if (existsSync(step)) execFileSync(process.execPath, [step], { stdio: 'inherit' });
}
