import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('V8 knows each flag: one that it does not know would be named on stderr at every start', () => {
  const file = fileURLToPath(new URL('../../src/util/engine-flags.ts', import.meta.url));
  const code = `const { setEngineFlags } = await import(${JSON.stringify(file)}); setEngineFlags();`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
