import { expect, it } from 'vitest';
import type { LinkStatus } from '../../src/relay/ports.ts';
import { type RadioRig, startRadio } from './radio-rig.ts';
import type { PeerLink, Script } from './scripted-peer.ts';

const MINUTE_MS = 60_000;

interface Life {
  readonly what: string;
  readonly script?: Partial<Script>;
  /** What happens to the ready link; it ends when the state is to be looked at. */
  readonly happens: (rig: RadioRig) => Promise<void>;
  readonly status: LinkStatus;
  /** Its link is lost, and others are tried. */
  readonly isCut?: true;
  /** Questions to the radio since it was ready: at most. */
  readonly heartbeats: number;
  readonly configurations: number;
  /** Statuses since it was ready. */
  readonly history?: readonly LinkStatus[];
}

/** The radio is gone behind a link that stays open, and takes no new one. */
function goes({ peer }: RadioRig): void {
  peer.script.heartbeat = () => undefined;
  peer.script.wantConfig = () => undefined;
  peer.script.open = () => 'refuse';
}

function savesPower(link: PeerLink, nonce: number): void {
  const power = { case: 'power', value: { isPowerSaving: true } } as const;
  link.send({ case: 'myInfo', value: { myNodeNum: 17 } });
  link.send({ case: 'config', value: { payloadVariant: power } });
  link.send({ case: 'configCompleteId', value: nonce });
}

const LIVES: readonly Life[] = [
  {
    what: 'bytes prove it: nobody asks while packets come, but for the keepalive that firmware wants',
    happens: async ({ peer, clock }) => {
      for (let round = 0; round < 180; round += 1) {
        peer.last.sendText(round + 1, 'busy');
        await clock.advance(20_000);
      }
    },
    status: 'ready',
    heartbeats: 12,
    configurations: 0,
  },
  {
    what: 'answers prove it: a quiet radio is asked, as cheaply as can be',
    happens: ({ clock }) => clock.advance(60 * MINUTE_MS),
    status: 'ready',
    heartbeats: 144,
    configurations: 0,
  },
  {
    what: 'firmware that ignores heartbeats is asked for something else, and seldom',
    script: { heartbeat: () => undefined },
    happens: ({ clock }) => clock.advance(60 * MINUTE_MS),
    status: 'ready',
    // Still the keepalive.
    heartbeats: 13,
    configurations: 16,
  },
  {
    what: 'a half-open link is lost within 90 s',
    happens: async (rig) => {
      goes(rig);
      await rig.clock.advance(90_000);
    },
    status: 'backing-off',
    isCut: true,
    heartbeats: 2,
    configurations: 1,
    history: ['backing-off'],
  },
  {
    what: 'a link that falls silent in the handshake is lost as well',
    happens: async (rig) => {
      goes(rig);
      rig.peer.last.send({ case: 'rebooted', value: true });
      await rig.clock.advance(25_000);
    },
    status: 'backing-off',
    isCut: true,
    heartbeats: 0,
    configurations: 1,
    history: ['handshaking', 'backing-off'],
  },
  {
    what: 'one that answers late is kept: a word after the first question is enough',
    happens: async (rig) => {
      goes(rig);
      await rig.clock.advance(40_000);
      rig.peer.last.sendText(1, 'late');
      await rig.clock.advance(20_000);
    },
    status: 'ready',
    heartbeats: 2,
    configurations: 1,
  },
  {
    what: 'a restart in place is greeted again on the same link',
    happens: async ({ peer, clock }) => {
      peer.last.send({ case: 'rebooted', value: true });
      await clock.advance(1_000);
    },
    status: 'ready',
    heartbeats: 0,
    configurations: 1,
    history: ['handshaking', 'ready'],
  },
  {
    what: 'a radio that saves power and falls silent is asleep',
    script: { wantConfig: savesPower },
    happens: async (rig) => {
      goes(rig);
      await rig.clock.advance(90_000);
    },
    status: 'asleep',
    isCut: true,
    heartbeats: 2,
    configurations: 1,
  },
  {
    what: 'it is asleep, too, when it ends the link or cannot be reached, and ready when it wakes',
    script: { wantConfig: savesPower },
    happens: async ({ peer, radio, sink, clock }) => {
      peer.script.open = () => 'refuse';
      peer.last.break();
      await clock.advance(10 * MINUTE_MS);
      expect(radio.state().status).toBe('asleep');
      expect(sink.statuses()).not.toContain('backing-off');
      peer.script.open = () => 'accept';
      await clock.advance(31_000);
    },
    status: 'ready',
    isCut: true,
    heartbeats: 2,
    configurations: 1,
  },
];

it.each(LIVES)('$what', async (life) => {
  const rig = await startRadio(life.script);
  const { peer, radio, sink } = rig;
  const before = sink.states.length;
  const greetings = peer.last.nonces().length;
  const first = peer.last;
  await life.happens(rig);

  expect(radio.state().status).toBe(life.status);
  expect(peer.attempts > 1).toBe(life.isCut === true);
  expect(first.count('heartbeat')).toBeLessThanOrEqual(life.heartbeats);
  expect(first.nonces().length - greetings).toBeLessThanOrEqual(life.configurations);
  if (life.history !== undefined)
    expect(sink.statuses().slice(before, before + life.history.length)).toEqual(life.history);
  // Never an admin request, nor anything else that goes on the air.
  expect(peer.links.map((link) => link.count('packet'))).toEqual(peer.links.map(() => 0));
});
