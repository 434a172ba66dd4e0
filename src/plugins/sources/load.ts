import { errorText, RelayError } from '../../util/relay-error.ts';
import type { Plugin } from '../api.ts';
import { offerPluginApi } from '../api-module.ts';
import { assertPlugin } from '../validate.ts';

/** The plugin in a module, for commands that try one; the relay runs it in a thread. @throws RelayError PLUGIN_LOAD, PLUGIN_INVALID */
export async function loadPlugin(entry: string): Promise<Plugin> {
  return assertPlugin(await defaultExport(entry));
}

/** @throws RelayError PLUGIN_LOAD */
export async function defaultExport(url: string): Promise<unknown> {
  const endOffer = offerPluginApi();
  try {
    const module: unknown = await import(url);
    return typeof module === 'object' && module !== null && 'default' in module ? module.default : null;
  } catch (cause) {
    throw new RelayError('PLUGIN_LOAD', `It cannot be loaded: ${whereAndWhat(cause)}`, { cause });
  } finally {
    endOffer();
  }
}

/** With the place in the file, which stands before the calls in the stack. */
function whereAndWhat(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack.split(/\n {4}at /)[0]?.trim() || errorText(error);
}
