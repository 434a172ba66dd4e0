import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type OpenStoreOptions, openStore, type Store } from '../../src/store/open-store.ts';
import { silentLogger } from '../../src/util/logger.ts';

/** A folder that goes away with the test. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function open(options: Partial<OpenStoreOptions> = {}): Store {
  return openStore({ path: ':memory:', logger: silentLogger, ...options });
}
