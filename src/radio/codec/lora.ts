import { Config } from '@meshtastic/protobufs';
import type { LoraSettings } from '../../relay/ports.ts';
import { MODEM_PRESETS, type Modem } from '../../util/airtime.ts';
import { enumName } from './parse.ts';

const PRESETS: Readonly<Record<string, Modem>> = MODEM_PRESETS;

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
  return {
    region,
    modemPreset,
    ...(modemPreset === null ? manualModem(config) : presetModem(modemPreset, region)),
    hopLimit: config.hopLimit === 0 ? DEFAULT_HOP_LIMIT : config.hopLimit,
    txEnabled: config.txEnabled,
    overrideDutyCycle: config.overrideDutyCycle,
  };
}

/** A preset that this firmware's table lacks runs as LONG_FAST there (RadioInterface, applyModemConfig). */
function presetModem(name: string, region: string): Modem {
  const preset = PRESETS[name] ?? MODEM_PRESETS.LONG_FAST;
  return { ...preset, bandwidthKhz: preset.bandwidthKhz * (region === 'LORA_24' ? WIDE_FACTOR : 1) };
}

function manualModem({ bandwidth, spreadFactor, codingRate }: Config.Config_LoRaConfig): Modem {
  return { bandwidthKhz: EXACT_BANDWIDTH_KHZ[bandwidth] ?? bandwidth, spreadFactor, codingRate };
}
