import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Config, Mesh, Xmodem } from '@meshtastic/protobufs';
import { type DeviceNode, metricsInit, positionInit } from './device-node.ts';
import { type DevicePacket, packetInit, packetOf } from './device-packet.ts';
import { userInit } from './device-payloads.ts';

/** What a client asks of a device. */
export type DeviceRequest =
  | { readonly kind: 'packet'; readonly packet: DevicePacket }
  | { readonly kind: 'want-config'; readonly nonce: number }
  | { readonly kind: 'heartbeat'; readonly nonce: number }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'file-transfer'; readonly control: FileTransferControl }
  /** MQTT proxy or nothing at all: not served. */
  | { readonly kind: 'other' };

/** XModem.Control by name. */
export type FileTransferControl = keyof typeof Xmodem.XModem_Control;

/** Largest Data.payload in mesh.options: nanopb refuses the whole message above it. */
const MAX_DATA_BYTES = 233;

/** The request in a ToRadio; null when it is malformed in the firmware's eyes (which then ignores it in silence). */
export function decodeToRadio(bytes: Uint8Array): DeviceRequest | null {
  try {
    const { payloadVariant } = fromBinary(Mesh.ToRadioSchema, bytes);
    switch (payloadVariant.case) {
      case 'packet': {
        const packet = packetOf(payloadVariant.value);
        return packet.payload.length > MAX_DATA_BYTES ? null : { kind: 'packet', packet };
      }
      case 'wantConfigId':
        return { kind: 'want-config', nonce: payloadVariant.value };
      case 'heartbeat':
        return { kind: 'heartbeat', nonce: payloadVariant.value.nonce };
      case 'disconnect':
        return { kind: 'disconnect' };
      case 'xmodemPacket':
        return { kind: 'file-transfer', control: controlName(payloadVariant.value.control) };
      default:
        return { kind: 'other' };
    }
  } catch {
    // Not a protobuf: the answer null says so.
    return null;
  }
}

type FromRadioVariant = NonNullable<MessageInitShape<typeof Mesh.FromRadioSchema>['payloadVariant']>;

function encode(payloadVariant: FromRadioVariant): Uint8Array {
  return toBinary(Mesh.FromRadioSchema, create(Mesh.FromRadioSchema, { payloadVariant }));
}

/** FromRadio.packet. */
export function encodeFromRadioPacket(packet: DevicePacket): Uint8Array {
  return encode({ case: 'packet', value: packetInit(packet) });
}

export interface QueueStatusInfo {
  /** 0, a Routing.Error number, or one of the firmware's ERRNO_ numbers. */
  readonly res: number;
  readonly free: number;
  readonly maxlen: number;
  readonly packetId: number;
}

/** FromRadio.queueStatus. */
export function encodeQueueStatus(status: QueueStatusInfo): Uint8Array {
  const { res, free, maxlen, packetId } = status;
  return encode({ case: 'queueStatus', value: { res, free, maxlen, meshPacketId: packetId } });
}

/** FromRadio.clientNotification at level WARNING, as PhoneAPI and Router send it. */
export function encodeNotification(message: string, replyId: number, timeS: number): Uint8Array {
  const level = Mesh.LogRecord_Level.WARNING;
  return encode({ case: 'clientNotification', value: { message, level, time: timeS, replyId } });
}

function controlName(control: Xmodem.XModem_Control): FileTransferControl {
  return (Xmodem.XModem_Control[control] ?? 'NUL') as FileTransferControl;
}

/** FromRadio.xmodemPacket without content. */
export function encodeFileTransfer(control: FileTransferControl): Uint8Array {
  return encode({ case: 'xmodemPacket', value: { control: Xmodem.XModem_Control[control] } });
}

/** FromRadio.rebooted. */
export function encodeRebooted(): Uint8Array {
  return encode({ case: 'rebooted', value: true });
}

/** FromRadio.configCompleteId. */
export function encodeConfigComplete(nonce: number): Uint8Array {
  return encode({ case: 'configCompleteId', value: nonce });
}

/** FromRadio.nodeInfo; the device itself is told by `hopsAway` null. */
export function encodeNodeInfo(node: DeviceNode): Uint8Array {
  return encode({
    case: 'nodeInfo',
    value: {
      num: node.user.num,
      user: userInit(node.user),
      ...(node.position === null ? {} : { position: positionInit(node.position) }),
      ...(node.metrics === null ? {} : { deviceMetrics: metricsInit(node.metrics) }),
      ...(node.hopsAway === null ? {} : { hopsAway: node.hopsAway }),
      snr: node.snr,
      lastHeard: node.lastHeardS,
      isFavorite: node.favorite,
    },
  });
}

export interface DeviceChannel {
  readonly name: string;
  readonly role: 'disabled' | 'primary' | 'secondary';
  /** 1 byte (a stock key), 16 or 32 bytes; empty for none. */
  readonly psk: Uint8Array;
}

const CHANNEL_ROLES = { disabled: 0, primary: 1, secondary: 2 } as const;

/** FromRadio.channel. */
export function encodeChannel(index: number, channel: DeviceChannel): Uint8Array {
  const { name, psk } = channel;
  const settings =
    channel.role === 'disabled' ? {} : { name, psk, moduleSettings: { positionPrecision: index === 0 ? 13 : 0 } };
  return encode({ case: 'channel', value: { index, settings, role: CHANNEL_ROLES[channel.role] } });
}

export interface DeviceIdentity {
  readonly nodeNum: number;
  readonly nodeCount: number;
  readonly bootCount: number;
  readonly firmwareVersion: string;
  readonly hwModel: string;
}

/** FromRadio.myInfo. */
export function encodeMyInfo(device: DeviceIdentity): Uint8Array {
  const { nodeNum, nodeCount, bootCount } = device;
  const value = { minAppVersion: 30200, pioEnv: 'native-tft', nodedbCount: nodeCount, rebootCount: bootCount };
  return encode({ case: 'myInfo', value: { myNodeNum: nodeNum, ...value } });
}

/** FromRadio.metadata. */
export function encodeMetadata(device: DeviceIdentity): Uint8Array {
  return encode({
    case: 'metadata',
    value: {
      firmwareVersion: device.firmwareVersion,
      deviceStateVersion: 24,
      hasWifi: true,
      hasPKC: true,
      positionFlags: 811,
      hwModel: Mesh.HardwareModel[device.hwModel as keyof typeof Mesh.HardwareModel] ?? 0,
      excludedModules: 13760,
    },
  });
}

/** FromRadio.deviceuiConfig. */
export function encodeDeviceUi(): Uint8Array {
  return encode({ case: 'deviceuiConfig', value: { screenBrightness: 153, screenTimeout: 30 } });
}

/** FromRadio.fileInfo. */
export function encodeFileInfo(fileName: string, sizeBytes: number): Uint8Array {
  return encode({ case: 'fileInfo', value: { fileName, sizeBytes } });
}

export interface DeviceLora {
  /** RegionCode by name. */
  readonly region: string;
  /** ModemPreset by name; null when the radio runs on the three numbers below. */
  readonly modemPreset: string | null;
  readonly bandwidthKhz: number;
  readonly spreadFactor: number;
  readonly codingRate: number;
  readonly hopLimit: number;
}

/** The ten FromRadio.config frames in firmware order, with the values a fresh device has. */
export function encodeConfigs(lora: DeviceLora, publicKey: Uint8Array): readonly Uint8Array[] {
  const { Config_LoRaConfig_RegionCode: Region, Config_LoRaConfig_ModemPreset: Preset } = Config;
  const variants: NonNullable<MessageInitShape<typeof Config.ConfigSchema>['payloadVariant']>[] = [
    { case: 'device', value: { nodeInfoBroadcastSecs: 10800 } },
    { case: 'position', value: { positionBroadcastSecs: 3600, positionBroadcastSmartEnabled: true, gpsMode: 2 } },
    { case: 'power', value: { waitBluetoothSecs: 60, sdsSecs: 4294967295, lsSecs: 300, minWakeSecs: 10 } },
    { case: 'network', value: { ntpServer: 'meshtastic.pool.ntp.org', enabledProtocols: 1 } },
    { case: 'display', value: { screenOnSecs: 600 } },
    {
      case: 'lora',
      value: {
        usePreset: lora.modemPreset !== null,
        modemPreset: Preset[(lora.modemPreset ?? 'LONG_FAST') as keyof typeof Preset] ?? Preset.LONG_FAST,
        bandwidth: Math.floor(lora.bandwidthKhz),
        spreadFactor: lora.spreadFactor,
        codingRate: lora.codingRate,
        region: Region[lora.region as keyof typeof Region] ?? Region.UNSET,
        hopLimit: lora.hopLimit,
        txEnabled: true,
        txPower: 27,
        sx126xRxBoostedGain: true,
        ignoreMqtt: true,
      },
    },
    { case: 'bluetooth', value: { enabled: true, mode: 1, fixedPin: 123456 } },
    { case: 'security', value: { publicKey, serialEnabled: true } },
    { case: 'sessionkey', value: {} },
    { case: 'deviceUi', value: {} },
  ];
  return variants.map((payloadVariant) => encode({ case: 'config', value: { payloadVariant } }));
}

const MODULES = [
  'mqtt',
  'serial',
  'externalNotification',
  'storeForward',
  'rangeTest',
  'telemetry',
  'cannedMessage',
  'audio',
  'remoteHardware',
  'neighborInfo',
  'ambientLighting',
  'detectionSensor',
  'paxcounter',
] as const;
/** Firmware 2.7.26 counts further than it fills: the last frames hold no module. */
const EMPTY_MODULES = 3;

/** The sixteen FromRadio.moduleConfig frames in firmware order. */
export function encodeModuleConfigs(): readonly Uint8Array[] {
  return [
    ...MODULES.map((module) =>
      encode({ case: 'moduleConfig', value: { payloadVariant: { case: module, value: {} } } }),
    ),
    ...Array.from({ length: EMPTY_MODULES }, () => encode({ case: 'moduleConfig', value: {} })),
  ];
}
