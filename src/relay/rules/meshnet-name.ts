import type { RadioSettings } from '../settings.ts';
import type { WorldView } from './view.ts';

/**
 * How the mesh of a radio is called in rooms: as configured, else by its primary channel, else by its preset
 * (`LONG_FAST` is `LongFast` in every Meshtastic app). Never empty, because the loop guard goes by it (W32).
 */
export function meshnetName(radio: RadioSettings, view: WorldView): string {
  if (radio.meshnetName !== '') return radio.meshnetName;
  const info = view.radioInfo(radio.name);
  const primary = info?.channels.find(({ role }) => role === 'primary')?.name ?? '';
  if (primary !== '') return primary;
  return presetName(info?.lora?.modemPreset ?? 'MESH');
}

/** Presets whose name is not just their words (firmware, DisplayFormatters::getModemPresetDisplayName). */
const SHORTENED: Readonly<Record<string, string>> = { LONG_MODERATE: 'LongMod', VERY_LONG_SLOW: 'VLongSlow' };

/** A preset as the apps write it, which is also what a channel without a name is called. */
export function presetName(preset: string): string {
  const shortened = SHORTENED[preset];
  if (shortened !== undefined) return shortened;
  const words = preset.toLowerCase().split('_');
  return words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('');
}
