import type { BleFound, BleHub } from '../../radio/ble/central.ts';
import type { FoundRadio } from '../../radio/discovery.ts';
import { browseRadios } from '../../radio/mdns/browse.ts';
import { createRadio } from '../../radio/radio.ts';
import { portHolders } from '../../radio/serial/open-advice.ts';
import { SYSTEM_ROOTS } from '../../radio/serial/ports.ts';
import { listSerialPorts } from '../../radio/serial/serialport-driver.ts';
import type { RadioConnect } from '../../radio/transport/factory.ts';
import type { RadioInfo, RadioSink, RadioState } from '../../relay/ports.ts';
import type { Clock } from '../../util/clock.ts';
import { type Logger, silentLogger } from '../../util/logger.ts';
import { errorText } from '../../util/relay-error.ts';

const DEFAULT_TCP_PORT = 4403;
const BLE_SCAN_MS = 5_000;
const ASK_MS = 12_000;

export interface FindOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly hub: BleHub;
  readonly signal: AbortSignal;
}

/** All radios in reach: on USB, over Bluetooth, in the network. Takes about five seconds; none of them is disturbed. */
export async function findRadios(options: FindOptions): Promise<readonly FoundRadio[]> {
  const parts = await Promise.all([findSerial(), findBle(options), findNetwork(options)]);
  return parts.flat();
}

/** How to connect to a radio that was found. */
export function connectOf(found: FoundRadio, hub: BleHub): RadioConnect {
  if (found.kind === 'serial') return { type: 'serial', path: found.target };
  if (found.kind === 'ble') return { type: 'ble', target: found.target, hub };
  const [host = '', port] = found.target.split(':');
  return { type: 'tcp', host, port: port === undefined ? DEFAULT_TCP_PORT : Number(port) };
}

/**
 * Connects for a moment and asks for name and firmware; gives the radio back as it was found when it does not answer.
 * A radio serves one client at a time: over the network this ends another client's connection.
 */
export async function askRadio(found: FoundRadio, options: FindOptions): Promise<FoundRadio> {
  const { info, name } = await visitRadio(connectOf(found, options.hub), options);
  return { ...found, name: name ?? found.name, firmware: info?.firmwareVersion ?? null };
}

export interface RadioVisit {
  /** null: it did not answer. */
  readonly info: RadioInfo | null;
  /** Long name of its node. */
  readonly name: string | null;
  /** Why it did not answer, as far as that is known. */
  readonly reason: string | null;
}

/** Connects for a moment, reads what the radio says of itself, and leaves. */
export async function visitRadio(connect: RadioConnect, options: FindOptions): Promise<RadioVisit> {
  const { clock, random, signal } = options;
  const radio = createRadio({ name: 'ask', connect, clock, random, logger: silentLogger });
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      cancelTimeout();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancelTimeout = clock.after(ASK_MS, finish);
    signal.addEventListener('abort', finish, { once: true });
    const onState = ({ status }: RadioState): void => {
      if (status !== 'connecting' && status !== 'handshaking') finish();
    };
    radio.start({ ...deafSink, onState });
  });
  const info = radio.info();
  const name = info === null ? null : (radio.nodes().get(info.nodeNum)?.longName ?? null);
  const { reason } = radio.state();
  await radio.stop();
  return { info, name, reason };
}

/** Packets that come while asking belong to whoever uses the radio; a moment's guest can only let them pass. */
const deafSink: RadioSink = {
  onState: () => undefined,
  onInfo: () => undefined,
  onNode: () => undefined,
  onPacket: () => undefined,
  onQueueStatus: () => undefined,
  onRouting: () => undefined,
  onNotification: () => undefined,
};

async function findSerial(): Promise<readonly FoundRadio[]> {
  const ports = (await listSerialPorts()).filter(({ board }) => board !== null);
  return Promise.all(
    ports.map(async ({ path, byId, product, board }) => {
      const holders = await portHolders(SYSTEM_ROOTS, path, process.pid);
      const who = holders.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
      const detail = byId === null ? board : `${board}, now ${path}`;
      const busy = who === '' ? null : `used by ${who}`;
      return { kind: 'serial' as const, target: byId ?? path, name: product, firmware: null, detail, busy };
    }),
  );
}

async function findBle({ hub, clock, signal, logger }: FindOptions): Promise<readonly FoundRadio[]> {
  const seen = new Map<string, BleFound>();
  const done = AbortSignal.any([signal, timeoutSignal(clock, BLE_SCAN_MS)]);
  try {
    const lease = await hub.lease();
    try {
      await lease.ready(done);
      await lease.scan((found) => void (found.isMeshtastic && seen.set(found.address, found)), done);
    } finally {
      await lease.release(seen.size === 0);
    }
  } catch (error) {
    logger.debug('no search over Bluetooth', { error: errorText(error) });
  }
  return [...seen.values()].map(({ address, name, rssi }) => {
    const detail = rssi === 0 || rssi === 127 ? null : `${rssi} dBm`;
    return { kind: 'ble', target: address, name, firmware: null, detail, busy: null };
  });
}

async function findNetwork({ clock, signal }: FindOptions): Promise<readonly FoundRadio[]> {
  const radios = await browseRadios({ clock, signal });
  return radios.map(({ host, address, port, shortName, nodeId, board }) => {
    const target = address ?? host;
    const detail = [host, nodeId, board].filter((part) => part !== null).join(', ');
    return {
      kind: 'tcp',
      target: port === DEFAULT_TCP_PORT ? target : `${target}:${port}`,
      name: shortName,
      firmware: null,
      detail,
      busy: null,
    };
  });
}

function timeoutSignal(clock: Clock, delayMs: number): AbortSignal {
  const controller = new AbortController();
  clock.after(delayMs, () => controller.abort(), { background: true });
  return controller.signal;
}
