/** USB ids of boards that run Meshtastic, and of the serial chips they carry. All ids are four lower-case hex digits. */

export interface UsbIdentity {
  readonly vendorId: string;
  readonly productId: string;
  /** null for the many chips that carry none. */
  readonly serialNumber: string | null;
}

/** Vendors whose boards have USB of their own; every product of theirs may be a radio. */
const BOARD_VENDORS: Readonly<Record<string, string>> = {
  '239a': 'nRF52840 board (RAK4631, T-Echo and kin)',
  '303a': 'ESP32-S3 or C3 board (Heltec V3, T-Deck, Station G2 and kin)',
  '2886': 'Seeed board (XIAO, SenseCAP T1000-E, Wio Tracker)',
  '2e8a': 'RP2040 board',
};

/** Serial chips soldered to ESP32 boards, by vendor:product; other devices carry them too. */
const SERIAL_CHIPS: Readonly<Record<string, string>> = {
  '10c4:ea60': 'CP210x serial chip (Heltec V2, T-Beam)',
  '1a86:55d4': 'CH9102 serial chip (T-Beam, T-LoRa)',
  '1a86:7523': 'CH340 serial chip',
  '1a86:55d3': 'CH343 serial chip',
  '0403:6001': 'FTDI serial chip',
  '0403:6015': 'FTDI serial chip',
};

/** What the board behind a USB id probably is; null when no Meshtastic board is known to look like that. */
export function boardOf(usb: UsbIdentity): string | null {
  return SERIAL_CHIPS[`${usb.vendorId}:${usb.productId}`] ?? BOARD_VENDORS[usb.vendorId] ?? null;
}

/** True when both are the same device as far as USB tells: serial numbers decide where there are any. */
export function isSameUsb(left: UsbIdentity, right: UsbIdentity): boolean {
  return (
    left.vendorId === right.vendorId && left.productId === right.productId && left.serialNumber === right.serialNumber
  );
}
