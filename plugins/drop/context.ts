import type { PluginContext } from '../../src/plugins/api.ts';
import type { configSchema } from './config.ts';

export type DropContext = PluginContext<typeof configSchema, 'positions' | 'nodes' | 'store' | 'sendMesh'>;
