import { airtimeMs, frameBytes, MODEM_PRESETS, type Modem, regionDutyPercent } from '../../util/airtime.ts';
import { utf8Bytes } from '../../util/utf8.ts';
import { PRIORITY, type RadioDelivery } from '../delivery.ts';
import type { RadioPort } from '../ports.ts';

/** What is known of the air around a radio. Percentages are null while the radio has not told them. */
export interface AirFacts {
  readonly modem: Modem;
  /** Percent of an hour that the region lets one device transmit; 100 for no limit. */
  readonly dutyPercent: number;
  /** Percent of time the channel is busy, of anybody's traffic. */
  readonly channelUtilization: number | null;
  /** Percent of the last hour that this radio transmitted, its own repeating included. */
  readonly airUtilTx: number | null;
}

/** The last hour on the air. */
export interface AirUse {
  /** Time this relay transmitted. */
  readonly usedMs: number;
  /** What the duty cycle of the region leaves, by the radio's own figure where that is worse; null for no limit. */
  readonly leftMs: number | null;
}

const HOUR_MS = 3_600_000;
/** The radio counts more than we can see (its beacons, repeats): stay a little under the limit. */
const DUTY_SHARE = 0.95;
/** The firmware's own limits of politeness (airtime.h): optional traffic below 25 %, none of it above 40 %. */
const POLITE_PERCENT = 25;
const CROWDED_PERCENT = 40;
const LOOK_AGAIN_MS = 30_000;

/** The facts of a radio as it last told them; a radio that has not, is taken for one of the commonest preset. */
export function airFacts(radio: RadioPort): AirFacts {
  const info = radio.info();
  const metrics = info === null ? null : (radio.nodes().get(info.nodeNum)?.metrics ?? null);
  const lora = info?.lora ?? null;
  return {
    modem: lora ?? MODEM_PRESETS.LONG_FAST,
    dutyPercent: lora === null || lora.overrideDutyCycle ? 100 : regionDutyPercent(lora.region),
    channelUtilization: metrics?.channelUtilization ?? null,
    airUtilTx: metrics?.airUtilTx ?? null,
  };
}

/** Time on air of a delivery, milliseconds, once; repeats by other nodes are theirs. */
export function deliveryAirtimeMs(delivery: RadioDelivery, modem: Modem): number {
  const parts = { replyId: delivery.replyId !== 0, emoji: delivery.emoji !== 0, pki: delivery.pki };
  const bytes =
    delivery.payload === undefined ? utf8Bytes(delivery.text) : Buffer.byteLength(delivery.payload, 'base64');
  return airtimeMs(frameBytes(bytes, parts), modem);
}

/**
 * What this relay has put on the air within the last hour, and whether more may follow. One per radio lane. Holds the
 * transmissions of an hour; a restart forgets them, which the radio's own figure (airUtilTx) makes up for.
 */
export class AirBudget {
  #sent: { readonly atMs: number; readonly airMs: number }[] = [];

  note(atMs: number, airMs: number): void {
    this.#sent = this.#sent.filter((entry) => atMs - entry.atMs < HOUR_MS);
    this.#sent.push({ atMs, airMs });
  }

  /** The hour before `nowMs`. */
  use(nowMs: number, facts: AirFacts): AirUse {
    const allowedMs = allowedAirMs(facts);
    return {
      usedMs: this.#usedMs(nowMs),
      leftMs: allowedMs === null ? null : Math.max(0, allowedMs - this.#spentMs(nowMs, facts)),
    };
  }

  #usedMs(nowMs: number): number {
    return this.#sent.reduce((sum, entry) => (nowMs - entry.atMs < HOUR_MS ? sum + entry.airMs : sum), 0);
  }

  #spentMs(nowMs: number, { airUtilTx }: AirFacts): number {
    return Math.max(this.#usedMs(nowMs), ((airUtilTx ?? 0) / 100) * HOUR_MS);
  }

  /** How long a packet of this length and priority has to wait at `nowMs`; 0 for not at all. */
  waitMs(nowMs: number, packet: { readonly airMs: number; readonly priority: number }, facts: AirFacts): number {
    return Math.max(this.#dutyWaitMs(nowMs, packet.airMs, facts), politeWaitMs(packet.priority, facts));
  }

  #dutyWaitMs(nowMs: number, airMs: number, facts: AirFacts): number {
    const allowedMs = allowedAirMs(facts);
    if (allowedMs === null) return 0;
    let excessMs = this.#spentMs(nowMs, facts) + airMs - allowedMs;
    if (excessMs <= 0) return 0;
    for (const entry of this.#sent) {
      if (nowMs - entry.atMs >= HOUR_MS) continue;
      excessMs -= entry.airMs;
      if (excessMs <= 0) return entry.atMs + HOUR_MS - nowMs;
    }
    return LOOK_AGAIN_MS;
  }
}

/** What an hour may hold; null for no limit. */
function allowedAirMs({ dutyPercent }: AirFacts): number | null {
  return dutyPercent >= 100 ? null : (HOUR_MS * dutyPercent * DUTY_SHARE) / 100;
}

/** Output of plugins gives way on a busy channel; people are never held back by it. */
function politeWaitMs(priority: number, { channelUtilization }: AirFacts): number {
  if (channelUtilization === null || priority < PRIORITY.plugin) return 0;
  const limit = priority >= PRIORITY.bulk ? POLITE_PERCENT : CROWDED_PERCENT;
  return channelUtilization > limit ? LOOK_AGAIN_MS : 0;
}
