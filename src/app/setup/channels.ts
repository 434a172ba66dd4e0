import type { RadioInfo } from '../../relay/ports.ts';
import { presetName } from '../../relay/rules/meshnet-name.ts';

/** A channel as setup shows it. */
export interface ChannelChoice {
  readonly index: number;
  /** Never empty: one without a name is called by the preset, as in the apps. */
  readonly name: string;
  readonly isPrimary: boolean;
  /** Who can read it, in words. */
  readonly reach: string;
}

/** The channels that are in use. */
export function channelChoices({ channels, lora }: RadioInfo): readonly ChannelChoice[] {
  return channels
    .filter(({ role }) => role !== 'disabled')
    .map(({ index, name, role, keyId }) => ({
      index,
      name: name === '' ? presetName(lora?.modemPreset ?? 'MESH') : name,
      isPrimary: role === 'primary',
      // Only the stock channel has no name of its own, and its key is printed in the manual.
      reach: keyId === null || name === '' ? 'everybody in reach can read it' : 'whoever has its key can read it',
    }));
}
