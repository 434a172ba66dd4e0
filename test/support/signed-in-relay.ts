import { type Registered, signInRelay } from '../chaos/support/chaos-homeserver.ts';
import { DaemonProcess, type DaemonProcessOptions } from './daemon-process.ts';

export interface SignedInRelayOptions extends Omit<DaemonProcessOptions, 'config'> {
  readonly home: string;
  readonly homeserver: { readonly baseUrl: string };
  readonly bot: Registered;
  readonly radio: { readonly port: number };
  readonly meshnet: string;
  /** All on channel 0. */
  readonly rooms: readonly string[];
  /** Sections of config.yaml besides these. */
  readonly sections?: object;
}

/** A relay that has its session, between a radio and rooms whose people may write as fast as they like. Not started. */
export function signedInRelay(options: SignedInRelayOptions): DaemonProcess {
  const { homeserver, bot, radio, meshnet, rooms, sections, ...process } = options;
  signInRelay(options.home, homeserver.baseUrl, bot);
  return new DaemonProcess({
    ...process,
    config: {
      ...sections,
      meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: radio.port, meshnet_name: meshnet },
      matrix: { homeserver: homeserver.baseUrl, bot_user_id: bot.userId },
      matrix_rooms: rooms.map((id) => ({ id, meshtastic_channel: 0 })),
      relay: { user_rate_limit: { burst: 10_000, per_minute: 10_000 } },
    },
  });
}
