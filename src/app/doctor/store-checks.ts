import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AppPaths } from '../../config/paths.ts';
import type { RelayConfig } from '../../config/types.ts';
import { RoomUpgrades } from '../../matrix/rooms/room-upgrades.ts';
import { inspectStore, type StoreView } from '../../store/inspect-store.ts';
import type { Clock } from '../../util/clock.ts';
import { ageText } from '../../util/duration.ts';
import { silentLogger } from '../../util/logger.ts';
import { plural } from '../../util/plural.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { CRYPTO_KEY_FILE } from '../account/encryption.ts';
import { type Finding, findingsOf } from './finding.ts';

const MB = 1024 ** 2;
const OLD_QUEUE_MS = 15 * 60_000;

/** The database, read-only: whole, in which schema, and what waits in it. */
export function checkDatabase(paths: AppPaths, clock: Clock): Finding[] {
  const finding = findingsOf('database');
  const { path } = paths.database;
  let view: StoreView | null;
  try {
    view = inspectStore(path, 'quick');
  } catch (error) {
    const corrupt = error instanceof RelayError && error.code === 'STORE_CORRUPT';
    const remedy = corrupt
      ? 'restore a backup: `mmrelay restore <file>`'
      : 'run doctor as the user that runs the relay';
    return [finding('error', errorText(error), remedy)];
  }
  if (view === null) return [finding('info', `${path}: will be created on first run`)];
  const size = `${(view.fileBytes / MB).toFixed(1)} MB`;
  const wal = view.journalMode === 'wal' ? 'WAL mode' : `${view.journalMode} mode`;
  const schema = view.schemaVersion === 0 ? 'schema of mmrelay 1.x' : `schema ${view.schemaVersion}`;
  const damage = view.problems ?? [];
  const findings = [
    damage.length === 0
      ? finding('ok', `${path}: ${size}, ${schema}, Journal: ${wal}`)
      : finding('error', `${path} is damaged: ${damage[0]}`, 'run `mmrelay db check`, and restore a backup'),
  ];
  return [...findings, ...queueFindings(view, clock)];
}

function queueFindings(view: StoreView, clock: Clock): Finding[] {
  const finding = findingsOf('database');
  const waiting = view.lanes.map(({ lane, queued, sent, oldestCreatedAtMs }) => {
    const age = oldestCreatedAtMs === null ? 0 : clock.now() - oldestCreatedAtMs;
    const text = `${lane}: ${queued} waiting, ${sent} on the way, the oldest for ${ageText(age)}`;
    return age > OLD_QUEUE_MS
      ? finding('warning', text, 'look whether that side is reachable, and at the log')
      : finding('info', text);
  });
  if (view.schemaVersion === 0) return waiting;
  const { count, newestError } = view.parked;
  if (count > 0) {
    const text = `${plural(count, 'message')} set aside, no rule could decide: ${newestError}`;
    waiting.push(finding('warning', text, 'a defect of mmrelay: please report it with the log; kept for a week'));
  }
  const last = view.lastPacketMs;
  const packet = last === null ? 'no packet of the mesh yet' : `last packet ${ageText(clock.now() - last)} ago`;
  return [...(waiting.length === 0 ? [finding('ok', 'nothing waits')] : waiting), finding('info', packet)];
}

/** Rooms that the configuration names by an id of before their upgrade. */
export function checkUpgradedRooms(paths: AppPaths, config: RelayConfig | null): Finding[] {
  const finding = findingsOf('matrix');
  let upgraded: ReadonlyMap<string, string>;
  try {
    upgraded = inspectStore(paths.database.path, 'none')?.upgradedRooms ?? new Map();
  } catch {
    return []; // checkDatabase tells what is wrong with it
  }
  const memory = { get: (id: string): string | null => upgraded.get(id) ?? null, set: () => undefined };
  const upgrades = new RoomUpgrades(memory, silentLogger);
  return (config?.rooms ?? []).flatMap(({ id }) => {
    const successor = upgrades.follow(id);
    if (successor === id) return [];
    return [finding('warning', `${id} was upgraded; the relay follows it`, `put ${successor} into the configuration`)];
  });
}

/** Encryption keys. */
export function checkEncryption(paths: AppPaths, config: RelayConfig | null): Finding[] {
  const finding = findingsOf('e2ee');
  if (config?.matrix.e2ee.enabled === 'off') return [finding('info', 'switched off by matrix.e2ee.enabled')];
  const { path } = paths.store;
  if (!existsSync(path)) return [finding('ok', 'available; no keys yet')];
  try {
    const files = readdirSync(path);
    const python = files.filter((name) => name.endsWith('.db'));
    const key = join(dirname(paths.credentials.path), CRYPTO_KEY_FILE);
    if (files.some((name) => name.startsWith('crypto-')) && !existsSync(key)) {
      const remedy = 'put it back from a backup; without it `mmrelay auth login --new-device` starts afresh';
      return [finding('error', `${key} is missing: it opens the keys in ${path}`, remedy)];
    }
    const findings = [finding('ok', `available; ${plural(files.length, 'file')} in ${path}`)];
    if (python.length > 0) {
      findings.push(
        finding(
          'info',
          `${plural(python.length, 'key file')} of the Python relay in ${path}: of no use here, and kept`,
        ),
      );
    }
    return findings;
  } catch (error) {
    return [finding('error', `${path} cannot be read: ${errorText(error)}`, 'make it readable for this user')];
  }
}
