import * as nodeModule from 'node:module';
import { API_VERSION } from './api.ts';

/** What `mmrelay/plugin` has beside types; `definePlugin` of api.ts, as text. */
const SOURCE = `export const API_VERSION = ${API_VERSION}; export const definePlugin = (plugin) => plugin;`;

/**
 * Makes `import ... from 'mmrelay/plugin'` work in this thread for code that lies anywhere, with nothing installed beside
 * it. Node 22.14 cannot; there the package must be installed. @returns ends it
 */
export function offerPluginApi(): () => void {
  const hooks = nodeModule.registerHooks?.({
    resolve: (specifier, context, next) =>
      specifier === 'mmrelay/plugin'
        ? { url: `data:text/javascript,${encodeURIComponent(SOURCE)}`, shortCircuit: true }
        : next(specifier, context),
  });
  return () => hooks?.deregister();
}
