import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Runs `mmrelay --version` on a Node that says it speaks this Node-API. */
function versionOn(napi: number) {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '0.0.0', napi: '${napi}' } })`;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, main, '--version'];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

describe('main', () => {
  it('refuses a Node on which the SQLite library would crash (22.12, 22.13)', () => {
    const { status, stdout, stderr } = versionOn(9);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toBe('mmrelay needs Node.js 22.14 or newer (not 23.0 to 23.5); this is 0.0.0.\n');
  });

  it('runs on the others', () => {
    expect(versionOn(10)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^MMRelay version/) });
  });
});
