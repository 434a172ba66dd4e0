import {
  type DeviceChannel,
  type DeviceIdentity,
  type DeviceLora,
  encodeChannel,
  encodeConfigComplete,
  encodeConfigs,
  encodeDeviceUi,
  encodeFileInfo,
  encodeMetadata,
  encodeModuleConfigs,
  encodeMyInfo,
  encodeNodeInfo,
} from '../../radio/codec/device-frames.ts';
import type { DeviceNode } from '../../radio/codec/device-node.ts';

const CONFIG_ONLY = 69420;
const NODES_ONLY = 69421;
const CHANNEL_SLOTS = 8;
const NO_CHANNEL: DeviceChannel = { name: '', role: 'disabled', psk: new Uint8Array(0) };

const FILES: readonly (readonly [string, number])[] = [
  ['/prefs/device.proto', 93],
  ['/prefs/nodes.proto', 580],
  ['/prefs/channels.proto', 57],
  ['/prefs/config.proto', 184],
  ['/prefs/module.proto', 98],
  ['/prefs/transmit_history.dat', 13],
];

export interface ConfigView {
  readonly identity: DeviceIdentity;
  readonly own: DeviceNode;
  readonly others: readonly DeviceNode[];
  readonly channels: readonly DeviceChannel[];
  readonly lora: DeviceLora;
}

/**
 * The answer to want_config in firmware order (PhoneAPI::getFromRadio): 69420 leaves the other nodes out, 69421 is
 * nodes only, any other nonce is everything. Held to transcripts of firmware 2.7.26 by a test.
 */
export function configFrames(view: ConfigView, nonce: number): readonly Uint8Array[] {
  const own = encodeNodeInfo(view.own);
  const others = nonce === CONFIG_ONLY ? [] : view.others.map(encodeNodeInfo);
  const complete = encodeConfigComplete(nonce);
  if (nonce === NODES_ONLY) return [own, ...others, complete];
  const slots = Array.from({ length: CHANNEL_SLOTS }, (_, index) => view.channels[index] ?? NO_CHANNEL);
  return [
    encodeMyInfo(view.identity),
    encodeDeviceUi(),
    own,
    encodeMetadata(view.identity),
    ...slots.map((channel, index) => encodeChannel(index, channel)),
    ...encodeConfigs(view.lora, view.own.user.publicKey ?? new Uint8Array(0)),
    ...encodeModuleConfigs(),
    ...others,
    ...FILES.map(([name, size]) => encodeFileInfo(name, size)),
    complete,
  ];
}
