import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../../util/clock.ts';
import { type DnsQuestion, type DnsRecord, decodeAnswer, encodeQuery, RECORD_TYPES } from './message.ts';

/** The service that Meshtastic firmware announces on Wi-Fi and Ethernet. */
const SERVICE = '_meshtastic._tcp.local';

/** Wi-Fi loses multicast easily: each question is put this often. */
const ASK_TIMES = 3;
const ASK_EVERY_MS = 700;

export interface MdnsOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Where questions go: the mDNS group, or elsewhere in a test. */
  readonly group?: { readonly address: string; readonly port: number };
  /** IPv4 addresses of the interfaces to ask on; all but loopback by default. */
  readonly interfaces?: readonly string[];
}

/** A radio that announces itself in the network. */
export interface MdnsRadio {
  /** Host name without the final dot, as `meshtastic.local`. */
  readonly host: string;
  /** null when only the name is known. */
  readonly address: string | null;
  readonly port: number;
  readonly shortName: string | null;
  /** As `!a1b2c3d4`. */
  readonly nodeId: string | null;
  /** Firmware target, as `tbeam`. */
  readonly board: string | null;
}

/** Looks for radios for about three seconds. Empty when there is no network. */
export async function browseRadios(options: MdnsOptions): Promise<readonly MdnsRadio[]> {
  const records: DnsRecord[] = [];
  await ask([{ name: SERVICE, type: RECORD_TYPES.ptr }], options, (answer) => {
    records.push(...answer);
    return false;
  });
  return radiosOf(records);
}

/** The IPv4 address of a `.local` name, or null when nobody answers to it. Takes about two seconds to give up. */
export async function resolveLocal(host: string, options: MdnsOptions): Promise<string | null> {
  const wanted = host.toLowerCase().replace(/\.$/, '');
  const found: { address: string | null } = { address: null };
  await ask([{ name: wanted, type: RECORD_TYPES.a }], options, (answer) => {
    for (const record of answer) {
      if (record.type === 'address' && record.family === 4 && record.name.toLowerCase() === wanted) {
        found.address = record.address;
        return true;
      }
    }
    return false;
  });
  return found.address;
}

/** Puts records together: one radio for each instance of the service. */
export function radiosOf(records: readonly DnsRecord[]): readonly MdnsRadio[] {
  const instances = new Set(
    records.flatMap((record) =>
      record.type === 'ptr' && record.name.toLowerCase() === SERVICE ? [record.target.toLowerCase()] : [],
    ),
  );
  const radios = new Map<string, MdnsRadio>();
  for (const instance of instances) {
    const isOurs = (record: DnsRecord): boolean => record.name.toLowerCase() === instance;
    const srv = records.find((record) => record.type === 'srv' && isOurs(record));
    if (srv?.type !== 'srv') continue;
    const txt = records.find((record) => record.type === 'txt' && isOurs(record));
    const values = txt?.type === 'txt' ? txt.values : {};
    radios.set(`${srv.target}:${srv.port}`, {
      host: srv.target,
      address: addressOf(records, srv.target),
      port: srv.port,
      shortName: values.shortname || null,
      nodeId: values.id || null,
      board: values.pio_env || null,
    });
  }
  return [...radios.values()];
}

function addressOf(records: readonly DnsRecord[], host: string): string | null {
  for (const record of records) {
    const isHost = record.name.toLowerCase() === host.toLowerCase();
    if (record.type === 'address' && record.family === 4 && isHost) return record.address;
  }
  return null;
}

/**
 * Asks from a port of our own (a one-shot query, RFC 6762 section 5.1), so that no other mDNS software is disturbed.
 * Ends after the last question had its time, when the signal aborts, or when `onAnswer` says true.
 */
async function ask(
  questions: readonly DnsQuestion[],
  { clock, signal, group = { address: '224.0.0.251', port: 5353 }, interfaces = ownAddresses() }: MdnsOptions,
  onAnswer: (records: readonly DnsRecord[]) => boolean,
): Promise<void> {
  const query = encodeQuery(questions);
  const sockets = interfaces.map(() => createSocket('udp4'));
  if (signal.aborted || sockets.length === 0) return;
  await new Promise<void>((resolve) => {
    let cancel: () => void = () => undefined;
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    let asked = 0;
    const put = (): void => {
      if (asked === ASK_TIMES) {
        finish();
        return;
      }
      asked += 1;
      // A socket whose interface has just gone fails alone; the others go on.
      for (const socket of sockets) socket.send(query, group.port, group.address, () => undefined);
      cancel = clock.after(ASK_EVERY_MS, put);
    };
    signal.addEventListener('abort', finish, { once: true });
    const bound = sockets.map((socket, index) => {
      socket.on('error', () => undefined);
      socket.on('message', (message) => {
        if (onAnswer(decodeAnswer(message))) finish();
      });
      return bind(socket, interfaces[index] ?? '0.0.0.0');
    });
    void Promise.all(bound).then(put);
  });
  for (const socket of sockets) socket.close();
}

/** Resolves in any case: what cannot be bound just hears nothing. */
function bind(socket: ReturnType<typeof createSocket>, address: string): Promise<void> {
  return new Promise((resolve) => {
    socket.once('error', () => resolve());
    socket.bind({ address, port: 0 }, () => {
      try {
        socket.setMulticastInterface(address);
      } catch {
        // The interface went away this instant: its socket stays mute.
      }
      resolve();
    });
  });
}

function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address);
}
