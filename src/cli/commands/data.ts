import type { Registry } from './registry.ts';

/** migrate, backup, restore, db, service. */
export function addDataCommands(_registry: Registry): void {}
