import { Config } from '@meshtastic/protobufs';
import type { LoraSettings } from '../../relay/ports.ts';
import { enumName } from './parse.ts';

/** Bandwidth in kHz, spread factor, denominator of the coding rate (Meshtastic firmware, modem presets). */
const PRESETS: Readonly<Record<string, readonly [number, number, number]>> = {
  SHORT_TURBO: [500, 7, 5],
  SHORT_FAST: [250, 7, 5],
  SHORT_SLOW: [250, 8, 5],
  MEDIUM_FAST: [250, 9, 5],
  MEDIUM_SLOW: [250, 10, 5],
  LONG_TURBO: [500, 11, 8],
  LONG_FAST: [250, 11, 5],
  LONG_MODERATE: [125, 11, 8],
  LONG_SLOW: [125, 12, 8],
  VERY_LONG_SLOW: [62.5, 12, 8],
};

/** The protobuf holds whole numbers; these stand for the fractions the chips have. */
const EXACT_BANDWIDTH_KHZ: Readonly<Record<number, number>> = {
  31: 31.25,
  62: 62.5,
  200: 203.125,
  400: 406.25,
  800: 812.5,
  1600: 1625,
};

/** The 2.4 GHz band uses the presets with bandwidths wider by 812.5 / 250. */
const WIDE_FACTOR = 3.25;

const DEFAULT_HOP_LIMIT = 3;

/** LoRa settings as the radio applies them: presets spelled out, zero hop limit as the default it stands for. */
export function loraSettings(config: Config.Config_LoRaConfig): LoraSettings {
  const region = enumName(Config.Config_LoRaConfig_RegionCode, config.region);
  const modemPreset = config.usePreset ? enumName(Config.Config_LoRaConfig_ModemPreset, config.modemPreset) : null;
  const preset = modemPreset === null ? undefined : PRESETS[modemPreset];
  const widen = region === 'LORA_24' ? WIDE_FACTOR : 1;
  return {
    region,
    modemPreset,
    bandwidthKhz:
      preset === undefined ? (EXACT_BANDWIDTH_KHZ[config.bandwidth] ?? config.bandwidth) : preset[0] * widen,
    spreadFactor: preset?.[1] ?? config.spreadFactor,
    codingRate: preset?.[2] ?? config.codingRate,
    hopLimit: config.hopLimit === 0 ? DEFAULT_HOP_LIMIT : config.hopLimit,
    txEnabled: config.txEnabled,
    overrideDutyCycle: config.overrideDutyCycle,
  };
}
