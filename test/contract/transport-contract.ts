import { afterEach, describe, expect, it } from 'vitest';
import type { CloseReason, Transport } from '../../src/radio/transport/types.ts';
import { ManualClock } from '../../src/util/manual-clock.ts';

/** The far end of an open transport. */
export interface TransportPeer {
  /** Sends bytes (stream) or one protobuf (packet) to us. */
  send(bytes: Uint8Array): Promise<void>;
  /** Everything we wrote so far, joined. */
  received(): Uint8Array;
  /** Ends the link in good order. */
  end(): void;
  /** Breaks the link without a word. */
  vanish(): void;
}

/** One radio side; made new for each test. */
export interface TransportRig {
  /** A fresh transport that will reach the peer. */
  reachable(clock: ManualClock): Transport;
  /** A fresh transport whose open is refused. */
  refused(clock: ManualClock): Transport;
  /** A fresh transport whose open never gets an answer. */
  unanswered(clock: ManualClock): Transport;
  /** Resolves with the far end once the transport is open. */
  peer(): Promise<TransportPeer>;
  /** Handles (sockets, ports) still held on our side; may lag by a turn of the event loop. */
  openHandles(): number;
  /** What an end in good order looks like; a link without such a thing says `failed`. Default `peer`. */
  readonly endKind?: CloseReason['kind'];
  dispose(): Promise<void>;
}

/** What every transport must do, whatever carries it. */
export function describeTransport(name: string, createRig: () => Promise<TransportRig>): void {
  describe(`transport contract: ${name}`, () => {
    const cleanups: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    });

    async function setUp(kind: 'reachable' | 'refused' | 'unanswered') {
      const rig = await createRig();
      cleanups.push(() => rig.dispose());
      const clock = new ManualClock();
      const transport = rig[kind](clock);
      cleanups.push(() => transport.close());
      const seen: { bytes: number[]; closes: CloseReason[] } = { bytes: [], closes: [] };
      const handlers = {
        onBytes: (bytes: Uint8Array) => seen.bytes.push(...bytes),
        onClose: (reason: CloseReason) => seen.closes.push(reason),
      };
      const abort = new AbortController();
      return { rig, clock, transport, seen, abort, open: () => transport.open(handlers, abort.signal) };
    }

    async function opened() {
      const context = await setUp('reachable');
      await context.open();
      return { ...context, peer: await context.rig.peer() };
    }

    it('carries bytes both ways in order', async () => {
      const { peer, transport, seen } = await opened();
      await Promise.all([1, 2, 3].map((value) => transport.write(Uint8Array.of(value))));
      await until(() => peer.received().length === 3);
      expect([...peer.received()]).toEqual([1, 2, 3]);
      for (const value of [7, 8, 9]) await peer.send(Uint8Array.of(value));
      await until(() => seen.bytes.length === 3);
      expect(seen.bytes).toEqual([7, 8, 9]);
    });

    it('leaves no timer behind once open', async () => {
      const { clock } = await opened();
      expect(clock.pending()).toBe(0);
    });

    it('tells once when the peer ends the link', async () => {
      const { peer, seen, transport, rig } = await opened();
      await peer.send(Uint8Array.of(5));
      peer.end();
      await until(() => seen.closes.length > 0);
      expect(seen.bytes).toEqual([5]);
      expect(seen.closes.map(({ kind }) => kind)).toEqual([rig.endKind ?? 'peer']);
      await expect(transport.write(Uint8Array.of(1))).rejects.toMatchObject({
        code: 'RADIO_WRITE_FAILED',
        certain: false,
      });
    });

    it('tells once when the peer vanishes', async () => {
      const { peer, seen } = await opened();
      peer.vanish();
      await until(() => seen.closes.length > 0);
      expect(seen.closes.length).toBe(1);
      expect(seen.closes[0]?.text).not.toBe('');
    });

    it('settles a write that is under way when it closes, and refuses later ones', async () => {
      const { transport } = await opened();
      const results = Promise.allSettled(Array.from({ length: 50 }, () => transport.write(new Uint8Array(200_000))));
      await transport.close();
      for (const result of await results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'RADIO_WRITE_FAILED' });
      }
      await expect(transport.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'RADIO_WRITE_FAILED' });
    });

    it('is silent after close, which may be called twice, and lets go of its handle', async () => {
      const { peer, transport, seen, rig, clock } = await opened();
      const sent = peer.send(Uint8Array.of(1));
      await Promise.all([transport.close(), transport.close()]);
      await transport.close();
      await sent.catch(() => undefined);
      const before = seen.bytes.length;
      await turn();
      expect(seen.closes).toEqual([]);
      expect(seen.bytes.length).toBe(before);
      await until(() => rig.openHandles() === 0);
      expect(clock.pending()).toBe(0);
    });

    it('may be closed before it was opened, and is single use', async () => {
      const { transport, open } = await setUp('reachable');
      await transport.close();
      await expect(open()).rejects.toMatchObject({ code: 'RADIO_UNREACHABLE' });
    });

    it('names a refused open and leaves nothing behind', async () => {
      const { open, transport, seen, rig, clock } = await setUp('refused');
      await expect(open()).rejects.toMatchObject({ code: 'RADIO_UNREACHABLE', retry: { kind: 'later' } });
      await transport.close();
      await until(() => rig.openHandles() === 0);
      expect([clock.pending(), seen.closes.length]).toEqual([0, 0]);
    });

    it('cancels at once during open', async () => {
      const { open, abort, rig, seen, clock, transport } = await setUp('unanswered');
      const opening = open();
      abort.abort();
      await expect(opening).rejects.toMatchObject({ code: 'RADIO_UNREACHABLE' });
      await transport.close();
      await until(() => rig.openHandles() === 0);
      expect([clock.pending(), seen.closes.length]).toEqual([0, 0]);
    });

    it('closes at once during open', async () => {
      const { open, transport, rig, clock, seen } = await setUp('unanswered');
      const opening = expect(open()).rejects.toMatchObject({ code: 'RADIO_UNREACHABLE' });
      await transport.close();
      await opening;
      await until(() => rig.openHandles() === 0);
      expect([clock.pending(), seen.closes.length]).toEqual([0, 0]);
    });

    it('gives up by itself when nobody answers', async () => {
      const { open, clock, rig } = await setUp('unanswered');
      const opening = expect(open()).rejects.toMatchObject({ code: 'RADIO_UNREACHABLE' });
      await clock.advance(60_000);
      await opening;
      await until(() => rig.openHandles() === 0);
      expect(clock.pending()).toBe(0);
    });

    it('does not open when cancelled before', async () => {
      const { open, abort, rig } = await setUp('reachable');
      abort.abort();
      await expect(open()).rejects.toMatchObject({ code: 'RADIO_UNREACHABLE' });
      await until(() => rig.openHandles() === 0);
    });
  });
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits for real events of the operating system; the test's own timeout bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
