import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  createClient,
  EventType,
  type MatrixClient,
  type MatrixEvent,
  MatrixEventEvent,
  MsgType,
  Preset,
} from 'matrix-js-sdk';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { sdkLogger } from '../../src/matrix/sdk-logger.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { whyUnreadable } from './support/read-event.ts';
import { type SynapseUser, startSynapse } from './support/synapse.ts';

const CHILD = fileURLToPath(new URL('./support/crypto-client.ts', import.meta.url));
const KILLS = Number(process.env.MMRELAY_TEST_KILLS ?? (process.env.MMRELAY_E2E_FULL === '1' ? 100 : 8));

/** What one side has seen of the messages in the room. */
interface Seen {
  readonly sent: Set<string>;
  readonly got: Set<string>;
  /** Undecryptable so far; taken out again when the key came after all. */
  readonly unread: Map<string, string>;
  /** How often an event could not be read at first. */
  late: number;
}

const nothingSeen = (): Seen => ({ sent: new Set(), got: new Set(), unread: new Map(), late: 0 });

function note(seen: Seen, kind: string, id: string, why = ''): void {
  if (kind === 'sent') seen.sent.add(id);
  if (kind === 'got') {
    seen.got.add(id);
    seen.unread.delete(id);
  }
  if (kind === 'undecryptable') {
    seen.unread.set(id, why);
    seen.late += 1;
  }
}

const synapseMissing = inject('pythonMissing').synapse;

test.skipIf(synapseMissing !== null)(
  `Synapse: ${KILLS} times killed -9 under traffic both ways, nobody misses a key`,
  { retry: 0, timeout: 240_000 + KILLS * 15_000 },
  async () => {
    const synapse = await startSynapse({ rateLimits: 'off' });
    onTestFinished(() => synapse.stop());
    const alice = await synapse.registerUser('alice', 'secret of alice');
    const relay = await synapse.registerUser('relay', 'secret of relay');
    const folder = mkdtempSync(join(tmpdir(), 'mmrelay-e2ee-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const other = await startOther(synapse.baseUrl, alice, relay.userId);
    onTestFinished(() => other.stop());
    const files = { storePath: join(folder, 'crypto.sqlite'), keyPath: join(folder, 'crypto.key') };
    const ours = new KilledClient({ baseUrl: synapse.baseUrl, ...relay, roomId: other.roomId, ...files });
    onTestFinished(() => ours.kill());

    for (let life = 0; life < KILLS; life += 1) {
      await ours.start(life);
      // Every life dies at another place: while it catches up, or in the middle of talking and of making new sessions.
      await ours.until(() => (life % 3 === 0 ? ours.linesOfLife > life : ours.sentInLife > (life * 5) % 13));
      await ours.kill();
    }
    await ours.start(KILLS);
    await ours.until(() => ours.sentInLife > 0);
    await other.quiet();
    await ours.quiet();
    await newestIsRead({ reader: ours.seen, writer: other.seen });
    await newestIsRead({ reader: other.seen, writer: ours.seen });
    // The last life reads everything that any life was sent or sent, also what it slept through.
    await ours.check([...other.seen.sent, ...ours.seen.sent]);
    await other.check([...other.seen.sent, ...ours.seen.sent]);

    expect(ours.identities.size, [...ours.identities].join('\n')).toBe(1);
    expect([...ours.seen.unread]).toEqual([]);
    expect([...other.seen.unread]).toEqual([]);
    expect(other.seen.sent.size).toBeGreaterThan(KILLS);
    expect(ours.seen.sent.size).toBeGreaterThan(KILLS);
    expect(await devicesOf(synapse.baseUrl, relay)).toEqual([relay.deviceId]);
    const known = await other.client.getCrypto()?.getUserDeviceInfo([relay.userId], true);
    const device = known?.get(relay.userId)?.get(relay.deviceId);
    expect(known?.get(relay.userId)?.size).toBe(1);
    expect([...ours.identities]).toEqual([`${device?.getFingerprint()} ${device?.getIdentityKey()}`]);
    process.stdout.write(
      `${ours.seen.sent.size} messages out, ${other.seen.sent.size} in; read late: ${ours.seen.late} ours, ${other.seen.late} theirs\n`,
    );
  },
);

/** Keys come in the order in which they were sent: once the newest message is read, those of all before it are here or lost. */
function newestIsRead({ reader, writer }: { readonly reader: Seen; readonly writer: Seen }): Promise<void> {
  const newest = [...writer.sent].at(-1);
  return vi.waitFor(() => expect([...reader.got]).toContain(newest), { timeout: 60_000, interval: 50 });
}

async function devicesOf(baseUrl: string, user: SynapseUser): Promise<string[]> {
  const headers = { authorization: `Bearer ${user.accessToken}` };
  const answer = await fetch(`${baseUrl}/_matrix/client/v3/devices`, { headers });
  const { devices } = (await answer.json()) as { devices: { device_id: string }[] };
  return devices.map((device) => device.device_id);
}

interface Other {
  readonly client: MatrixClient;
  readonly roomId: string;
  readonly seen: Seen;
  /** Stops sending, and waits for what is on the way. */
  quiet(): Promise<void>;
  /** Fetches these events and reads them with the keys at hand. */
  check(ids: readonly string[]): Promise<void>;
  stop(): void;
}

/** A matrix-js-sdk user with its keys in memory, who talks all the time in a room that makes a new session often. */
async function startOther(baseUrl: string, user: SynapseUser, invite: string): Promise<Other> {
  const client = createClient({ baseUrl, ...user, logger: sdkLogger(silentLogger) });
  await client.initRustCrypto({ useIndexedDB: false });
  const encryption = { algorithm: 'm.megolm.v1.aes-sha2', rotation_period_msgs: 4 };
  const { room_id: roomId } = await client.createRoom({
    preset: Preset.TrustedPrivateChat,
    invite: [invite],
    initial_state: [{ type: EventType.RoomEncryption, state_key: '', content: encryption }],
  });
  const seen = nothingSeen();
  client.on(MatrixEventEvent.Decrypted, (event: MatrixEvent) => {
    const id = event.getId() ?? '';
    if (event.isDecryptionFailure()) note(seen, 'undecryptable', id, event.decryptionFailureReason ?? '');
    else if (event.getType() === EventType.RoomMessage) note(seen, 'got', id);
  });
  await client.startClient({ initialSyncLimit: 100 });
  await membersJoined(client, roomId);
  let talking = true;
  const talk = async (): Promise<void> => {
    for (let n = 0; talking; n += 1) {
      const sent = await client.sendEvent(roomId, EventType.RoomMessage, { msgtype: MsgType.Text, body: `alice ${n}` });
      note(seen, 'sent', sent.event_id);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  let talked: Promise<void> | null = null;
  client.once(MatrixEventEvent.Decrypted, () => {
    talked ??= talk();
  });
  return {
    client,
    roomId,
    seen,
    quiet: async () => {
      talking = false;
      await talked;
    },
    check: async (ids) => {
      for (const id of ids) {
        const why = await whyUnreadable(client, roomId, id);
        note(seen, why === null ? 'got' : 'undecryptable', id, why ?? '');
      }
    },
    stop: () => client.stopClient(),
  };
}

function membersJoined(client: MatrixClient, roomId: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (): boolean => client.getRoom(roomId)?.hasEncryptionStateEvent() === true;
    const timer = setInterval(() => {
      if (!look()) return;
      clearInterval(timer);
      resolve();
    }, 50);
  });
}

function waitUntil(waiting: Set<() => void>, met: () => boolean, state: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (!met()) return;
      waiting.delete(look);
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => reject(new Error(`waited too long: ${state()}`)), 60_000);
    waiting.add(look);
    look();
  });
}

/** Our client as a process; one at a time, what all its lives said is kept. */
class KilledClient {
  readonly seen = nothingSeen();
  readonly identities = new Set<string>();
  linesOfLife = 0;
  sentInLife = 0;
  readonly #options: object;
  readonly #waiting = new Set<() => void>();
  #child: ChildProcess | null = null;
  readonly #answers = new Set<string>();

  constructor(options: object) {
    this.#options = options;
  }

  async start(life: number): Promise<void> {
    this.linesOfLife = 0;
    this.sentInLife = 0;
    const child = spawn(process.execPath, [CHILD, JSON.stringify({ ...this.#options, life })], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    if (child.stdout === null) throw new Error('no stdout');
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(line));
    await once(child, 'spawn');
  }

  #take(line: string): void {
    if (!line.startsWith('{')) return;
    const said = JSON.parse(line) as { kind: string; id: string; why?: string; ed25519?: string; curve25519?: string };
    this.linesOfLife += 1;
    if (said.kind === 'sent') this.sentInLife += 1;
    if (said.kind === 'keys') this.identities.add(`${said.ed25519} ${said.curve25519}`);
    else if (said.kind === 'stopped' || said.kind === 'checked') this.#answers.add(said.kind);
    else note(this.seen, said.kind, said.id, said.why);
    for (const look of this.#waiting) look();
  }

  until(met: () => boolean): Promise<void> {
    const state = (): string => `${this.linesOfLife} lines, unread ${JSON.stringify([...this.seen.unread])}`;
    return waitUntil(this.#waiting, met, state);
  }

  quiet(): Promise<void> {
    return this.#ask('quiet', 'stopped');
  }

  check(ids: readonly string[]): Promise<void> {
    return this.#ask(JSON.stringify(ids), 'checked');
  }

  async #ask(question: string, answer: string): Promise<void> {
    this.#child?.stdin?.write(`${question}\n`);
    await this.until(() => this.#answers.has(answer));
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
}
