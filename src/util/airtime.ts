/** LoRa modem settings. Bandwidth in kHz; coding rate as the denominator (5 for 4/5). */
export interface Modem {
  readonly bandwidthKhz: number;
  readonly spreadFactor: number;
  readonly codingRate: number;
}

const HEADER_BYTES = 16;
const PREAMBLE_SYMBOLS = 16;
const SYNC_SYMBOLS = 4.25;
const HEADER_SYMBOLS = 8;
/** Above this symbol time the modem switches low data rate optimisation on. */
const LOW_RATE_SYMBOL_MS = 16;
/** Contention windows of the firmware: 2^3 slots on an idle channel, 2^5 slots and 16 slots of offset for a relay. */
const ACK_WAIT_SLOTS = 2 ** 3 + 16 + 2 ** 5;
const ACK_PROCESSING_MS = 4500;

/** Modem presets of the firmware (RadioInterface.cpp), by ModemPreset name. */
export const MODEM_PRESETS = {
  SHORT_TURBO: { bandwidthKhz: 500, spreadFactor: 7, codingRate: 5 },
  SHORT_FAST: { bandwidthKhz: 250, spreadFactor: 7, codingRate: 5 },
  SHORT_SLOW: { bandwidthKhz: 250, spreadFactor: 8, codingRate: 5 },
  MEDIUM_TURBO: { bandwidthKhz: 500, spreadFactor: 9, codingRate: 5 },
  MEDIUM_FAST: { bandwidthKhz: 250, spreadFactor: 9, codingRate: 5 },
  MEDIUM_SLOW: { bandwidthKhz: 250, spreadFactor: 10, codingRate: 5 },
  LONG_TURBO: { bandwidthKhz: 500, spreadFactor: 11, codingRate: 8 },
  LONG_FAST: { bandwidthKhz: 250, spreadFactor: 11, codingRate: 5 },
  LONG_MODERATE: { bandwidthKhz: 125, spreadFactor: 11, codingRate: 8 },
  LONG_SLOW: { bandwidthKhz: 125, spreadFactor: 12, codingRate: 8 },
  LITE_FAST: { bandwidthKhz: 125, spreadFactor: 9, codingRate: 5 },
  LITE_SLOW: { bandwidthKhz: 125, spreadFactor: 10, codingRate: 5 },
  NARROW_FAST: { bandwidthKhz: 62.5, spreadFactor: 7, codingRate: 6 },
  NARROW_SLOW: { bandwidthKhz: 62.5, spreadFactor: 8, codingRate: 6 },
} as const satisfies Readonly<Record<string, Modem>>;

export type ModemPresetName = keyof typeof MODEM_PRESETS;

/** Percent of an hour that may be spent transmitting, by RegionCode name; a region that is absent has no limit. */
const REGION_DUTY_PERCENT: Readonly<Record<string, number>> = {
  EU_433: 10,
  EU_868: 10,
  EU_N_868: 10,
  EU_866: 2.5,
  TH: 10,
  UA_433: 10,
};

/** Percent of an hour that a radio in this region may transmit (RegionInfo of the firmware); 100 is no limit. */
export function regionDutyPercent(region: string): number {
  return REGION_DUTY_PERCENT[region] ?? 100;
}

/** How long one symbol is on air. */
export function symbolMs(modem: Modem): number {
  return 2 ** modem.spreadFactor / modem.bandwidthKhz;
}

/**
 * Time on air of one LoRa frame in milliseconds, by the formula of RadioLib's SX126x that the firmware uses.
 * @param bytes the whole frame: 16 bytes of header and the encrypted Data (see frameBytes)
 */
export function airtimeMs(bytes: number, modem: Modem): number {
  const symbol = symbolMs(modem);
  const lowRate = symbol >= LOW_RATE_SYMBOL_MS ? 1 : 0;
  const bits = 8 * bytes + 16 - 4 * modem.spreadFactor + 8 + 20;
  const blocks = Math.ceil(Math.max(bits, 0) / (4 * (modem.spreadFactor - 2 * lowRate)));
  return (PREAMBLE_SYMBOLS + SYNC_SYMBOLS + HEADER_SYMBOLS + blocks * modem.codingRate) * symbol;
}

export interface FrameParts {
  readonly replyId?: boolean;
  readonly emoji?: boolean;
  /** A direct message encrypted to a public key: 8 bytes of tag and 4 of nonce. */
  readonly pki?: boolean;
}

/** Bytes of the LoRa frame that carries a Data with this payload: portnum, payload, bitfield and what `parts` adds. */
export function frameBytes(payloadBytes: number, parts: FrameParts = {}): number {
  const payload = payloadBytes === 0 ? 0 : payloadBytes + (payloadBytes < 128 ? 2 : 3);
  const extra = (parts.replyId ? 5 : 0) + (parts.emoji ? 5 : 0) + (parts.pki ? 12 : 0);
  return HEADER_BYTES + 2 + payload + 2 + extra;
}

/** One slot of the contention window, milliseconds (RadioInterface::computeSlotTimeMsec). */
export function slotMs(modem: Modem): number {
  return Math.floor(2.5 * symbolMs(modem) + 7.6);
}

/** How long the firmware waits for an acknowledgement of such a frame on an idle channel before it sends again. */
export function ackTimeoutMs(bytes: number, modem: Modem): number {
  return 2 * Math.round(airtimeMs(bytes, modem)) + ACK_WAIT_SLOTS * slotMs(modem) + ACK_PROCESSING_MS;
}
