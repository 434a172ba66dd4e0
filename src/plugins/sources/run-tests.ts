import { deepStrictEqual, ok } from 'node:assert';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, parse } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { errorText, RelayError } from '../../util/relay-error.ts';
import type { Plugin } from '../api.ts';
import { timingOf } from '../schedule/timing.ts';
import { type PluginTests, testPlugin } from '../testing.ts';
import { defaultExport, loadPlugin } from './load.ts';
import type { PluginCode } from './locate.ts';

export interface TestResult {
  readonly name: string;
  /** null: passed. */
  readonly failure: string | null;
}

/**
 * Runs the tests of a plugin (`*.test.ts`, `*.test.js`), after the check that it is one.
 * @throws RelayError PLUGIN_INVALID, PLUGIN_LOAD, PLUGIN_NAME, PLUGIN_NO_TESTS
 */
export async function runPluginTests(code: PluginCode): Promise<readonly TestResult[]> {
  const plugin = await loadPlugin(code.entry);
  if (code.name !== null && plugin.name !== code.name)
    throw new RelayError(
      'PLUGIN_NAME',
      `It calls itself "${plugin.name}", but its folder and the configuration "${code.name}"`,
    );
  assertTimings(plugin);
  const results: TestResult[] = [];
  for (const file of testFiles(code)) {
    const tests = (await defaultExport(pathToFileURL(file).href)) as PluginTests;
    for (const [title, test] of Object.entries(tests ?? {})) {
      const tools = { open: (world = {}) => testPlugin(plugin, world), equal: deepStrictEqual, ok };
      results.push({ name: title, failure: await failureOf(async () => test(tools)) });
    }
  }
  return results;
}

/** In the relay such a mistake costs the job alone, and a line of the log. */
function assertTimings({ schedule = [] }: Plugin): void {
  for (const { name, every = null, cron = null } of schedule) {
    const timing = timingOf({ every, cron }, null, 'UTC');
    if (typeof timing === 'object') throw new RelayError('PLUGIN_INVALID', `Job ${name} never runs: ${timing.problem}`);
  }
}

async function failureOf(test: () => Promise<void>): Promise<string | null> {
  try {
    await test();
    return null;
  } catch (error) {
    return errorText(error);
  }
}

/** Of a folder: all at its root and beside its module. Of a single file: its own, for the neighbours are other plugins. */
function testFiles({ path, entry }: PluginCode): readonly string[] {
  const isFolder = statSync(path).isDirectory();
  const roots = isFolder ? new Set([path, dirname(fileURLToPath(entry))]) : [dirname(path)];
  const isOurs = isFolder ? () => true : (file: string) => file.startsWith(`${parse(path).name}.test.`);
  const files = [...roots].flatMap((root) => [root, join(root, 'test')]).flatMap(testFilesIn);
  const ours = files.filter((file) => isOurs(basename(file)));
  if (ours.length > 0) return ours;
  const wanted = isFolder ? `*.test.ts in ${path}` : `${parse(path).name}.test.ts beside ${path}`;
  throw new RelayError('PLUGIN_NO_TESTS', `It can be loaded, but there is no ${wanted}`);
}

function testFilesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /\.test\.m?[jt]s$/.test(file))
    .map((file) => join(folder, file));
}
