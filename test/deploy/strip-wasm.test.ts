import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { stripWasm } from '../../.ci/strip-wasm.ts';

const cryptoPackage = createRequire(import.meta.url).resolve('@matrix-org/matrix-sdk-crypto-wasm');
const original = readFileSync(join(dirname(cryptoPackage), 'pkg/matrix_sdk_crypto_wasm_bg.wasm'));

it("the bundle's crypto is the same program without the names of its functions", () => {
  const stripped = stripWasm(original);
  const before = new WebAssembly.Module(original);
  const after = new WebAssembly.Module(stripped);

  expect(WebAssembly.Module.customSections(before, 'name')).toHaveLength(1);
  expect(WebAssembly.Module.customSections(after, 'name')).toHaveLength(0);
  expect(WebAssembly.Module.exports(after)).toEqual(WebAssembly.Module.exports(before));
  expect(WebAssembly.Module.imports(after)).toEqual(WebAssembly.Module.imports(before));
  expect(stripped.length).toBeLessThan(0.7 * original.length);
  expect(stripWasm(stripped)).toEqual(stripped);
});
