import { describe, expect, it } from 'vitest';
import {
  ackTimeoutMs,
  airtimeMs,
  frameBytes,
  MODEM_PRESETS,
  type ModemPresetName,
  regionDutyPercent,
  slotMs,
  symbolMs,
} from '../../src/util/airtime.ts';

const PAYLOADS = [1, 20, 50, 100, 200, 232];

/** Spec 04 section 3.2: symbol ms, time on air for each of PAYLOADS, slot ms, ACK timeout for 100 bytes. */
const TABLE: Readonly<Record<ModemPresetName, readonly [number, readonly number[], number, number]>> = {
  SHORT_TURBO: [0.26, [17, 24, 35, 53, 90, 102], 8, 5054],
  SHORT_FAST: [0.51, [35, 48, 71, 107, 181, 204], 8, 5162],
  SHORT_SLOW: [1.02, [65, 85, 126, 188, 321, 362], 10, 5436],
  MEDIUM_TURBO: [1.02, [60, 80, 116, 172, 285, 321], 10, 5404],
  MEDIUM_FAST: [2.05, [119, 160, 232, 345, 570, 642], 12, 5862],
  MEDIUM_SLOW: [4.1, [218, 300, 423, 628, 1037, 1181], 17, 6708],
  LONG_TURBO: [4.1, [280, 378, 574, 869, 1459, 1656], 17, 7190],
  LONG_FAST: [8.19, [436, 559, 805, 1174, 1911, 2157], 28, 8416],
  LONG_MODERATE: [16.38, [1249, 1774, 2560, 4133, 7016, 7934], 48, 15454],
  LONG_SLOW: [32.77, [2236, 3285, 4858, 7479, 12722, 14295], 89, 24442],
  LITE_FAST: [4.1, [239, 321, 464, 689, 1140, 1283], 17, 6830],
  LITE_SLOW: [8.19, [436, 600, 846, 1255, 2075, 2361], 28, 8578],
  NARROW_FAST: [2.05, [156, 218, 328, 500, 857, 967], 12, 6172],
  NARROW_SLOW: [4.1, [288, 386, 583, 878, 1517, 1713], 17, 7208],
};

describe('time on air', () => {
  for (const [name, [symbol, toa, slot, ack]] of Object.entries(TABLE)) {
    it(`matches the table of the firmware for ${name}`, () => {
      const modem = MODEM_PRESETS[name as ModemPresetName];
      expect(symbolMs(modem)).toBeCloseTo(symbol, 1);
      expect(PAYLOADS.map((bytes) => Math.round(airtimeMs(frameBytes(bytes), modem)))).toEqual(toa);
      expect(slotMs(modem)).toBe(slot);
      expect(ackTimeoutMs(frameBytes(100), modem)).toBe(ack);
    });
  }

  it('fills the 255 byte frame with the largest text of each kind', () => {
    expect(frameBytes(232)).toBe(255);
    expect(frameBytes(227, { replyId: true })).toBe(255);
    expect(frameBytes(222, { replyId: true, emoji: true })).toBe(255);
    expect(frameBytes(220, { pki: true })).toBe(255);
    expect(frameBytes(215, { pki: true, replyId: true })).toBe(255);
  });

  it('knows the duty cycle of a region', () => {
    expect(regionDutyPercent('EU_868')).toBe(10);
    expect(regionDutyPercent('EU_866')).toBe(2.5);
    expect(regionDutyPercent('US')).toBe(100);
  });
});
