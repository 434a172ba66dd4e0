import { create } from '@bufbuild/protobuf';
import { Config } from '@meshtastic/protobufs';
import { describe, expect, it } from 'vitest';
import { loraSettings } from '../../../src/radio/codec/lora.ts';

const settings = (init: Partial<Config.Config_LoRaConfig>) =>
  loraSettings(create(Config.Config_LoRaConfigSchema, init));

describe('LoRa settings', () => {
  it.each([
    [
      'preset',
      { usePreset: true, modemPreset: 8 },
      { modemPreset: 'SHORT_TURBO', bandwidthKhz: 500, spreadFactor: 7, codingRate: 5 },
    ],
    ['2.4 GHz', { usePreset: true, region: 13 }, { region: 'LORA_24', bandwidthKhz: 812.5, spreadFactor: 11 }],
    [
      'unknown preset',
      { usePreset: true, modemPreset: 99 },
      { modemPreset: '99', bandwidthKhz: 250, spreadFactor: 11 },
    ],
    [
      'by hand',
      { bandwidth: 62, spreadFactor: 9, codingRate: 7 },
      { modemPreset: null, bandwidthKhz: 62.5, spreadFactor: 9, codingRate: 7 },
    ],
    ['no hop limit', {}, { hopLimit: 3, region: 'UNSET' }],
    ['hop limit', { hopLimit: 6 }, { hopLimit: 6 }],
  ])('%s', (_name, init, expected) => {
    expect(settings(init)).toMatchObject(expected);
  });
});
