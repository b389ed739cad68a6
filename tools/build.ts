/** What `npm ci` runs at its end: generates the protocol's codec and compiles the kernel. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const steps = ['foundation/proto/tools/generate.ts', 'engine/kernel/tools/build.ts'];
for (const step of steps) {
  if (existsSync(step)) execFileSync(process.execPath, [step], { stdio: 'inherit' });
}
