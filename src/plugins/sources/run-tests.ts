import { deepStrictEqual, ok } from 'node:assert';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { type PluginTests, testPlugin } from '../testing.ts';
import { assertPlugin } from '../validate.ts';

export interface TestResult {
  readonly name: string;
  /** null: passed. */
  readonly failure: string | null;
}

/**
 * Runs the tests beside a plugin (`*.test.ts`, `*.test.js`), after the check that it is one.
 * @param entry URL of the plugin's module
 * @param name what the relay will look for; null: any
 * @throws RelayError PLUGIN_INVALID, PLUGIN_LOAD, PLUGIN_NAME, PLUGIN_NO_TESTS
 */
export async function runPluginTests(entry: string, name: string | null): Promise<readonly TestResult[]> {
  const plugin = assertPlugin(await defaultExport(entry));
  if (name !== null && plugin.name !== name)
    throw new RelayError(
      'PLUGIN_NAME',
      `It calls itself "${plugin.name}", but its folder and the configuration "${name}"`,
    );
  const folder = dirname(fileURLToPath(entry));
  const files = [folder, join(folder, 'test')].flatMap(testFiles);
  if (files.length === 0) throw new RelayError('PLUGIN_NO_TESTS', `There is no *.test.ts in ${folder}`);
  const results: TestResult[] = [];
  for (const file of files) {
    const tests = (await defaultExport(pathToFileURL(file).href)) as PluginTests;
    for (const [title, test] of Object.entries(tests ?? {})) {
      const tools = { open: (world = {}) => testPlugin(plugin, world), equal: deepStrictEqual, ok };
      results.push({ name: title, failure: await failureOf(async () => test(tools)) });
    }
  }
  return results;
}

async function failureOf(test: () => Promise<void>): Promise<string | null> {
  try {
    await test();
    return null;
  } catch (error) {
    return errorText(error);
  }
}

function testFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /\.test\.m?[jt]s$/.test(file))
    .map((file) => join(folder, file));
}

async function defaultExport(url: string): Promise<unknown> {
  try {
    const module: unknown = await import(url);
    return typeof module === 'object' && module !== null && 'default' in module ? module.default : null;
  } catch (cause) {
    throw new RelayError('PLUGIN_LOAD', `It cannot be loaded: ${whereAndWhat(cause)}`, { cause });
  }
}

/** With the place in the file, which stands before the calls in the stack. */
function whereAndWhat(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack.split(/\n {4}at /)[0]?.trim() || errorText(error);
}
