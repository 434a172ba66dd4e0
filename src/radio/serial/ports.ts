import { readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { boardOf, type UsbIdentity } from './usb-boards.ts';

/** A serial port on USB. */
export interface SerialDevice {
  /** As /dev/ttyUSB0; may change when it is plugged in again. */
  readonly path: string;
  /** The name under /dev/serial/by-id, which does not change; null where the system makes none. */
  readonly byId: string | null;
  readonly usb: UsbIdentity;
  /** What the device calls itself over USB. */
  readonly product: string | null;
  /** What it probably is; null when no Meshtastic board is known to look like that. */
  readonly board: string | null;
}

/** Folders of the operating system, so that tests can bring their own. */
export interface SystemRoots {
  readonly sys: string;
  readonly dev: string;
  readonly proc: string;
  readonly etc: string;
}

export const SYSTEM_ROOTS: SystemRoots = { sys: '/sys', dev: '/dev', proc: '/proc', etc: '/etc' };

/** Far enough from a tty up to its USB device (interface, port, device). */
const MAX_CLIMB = 6;

/** The USB serial ports of a Linux machine by their kernel names, without the help of udev (containers have none). */
export async function listLinuxPorts(roots: SystemRoots): Promise<readonly SerialDevice[]> {
  const names = (await entries(join(roots.sys, 'class/tty'))).filter((name) => /^tty(USB|ACM)\d+$/.test(name));
  const stable = await stableNames(roots);
  const devices = await Promise.all(names.map((name) => describeTty(roots, name, stable)));
  return devices.filter((device) => device !== null).sort((a, b) => a.path.localeCompare(b.path));
}

async function describeTty(
  roots: SystemRoots,
  name: string,
  stable: ReadonlyMap<string, string>,
): Promise<SerialDevice | null> {
  const folder = await usbFolder(join(roots.sys, 'class/tty', name, 'device'));
  if (folder === null) return null;
  const attribute = async (file: string): Promise<string | null> => textOf(join(folder, file));
  const [vendorId, productId] = [await attribute('idVendor'), await attribute('idProduct')];
  if (vendorId === null || productId === null) return null;
  const usb = { vendorId, productId, serialNumber: await attribute('serial') };
  const path = join(roots.dev, name);
  return { path, byId: stable.get(path) ?? null, usb, product: await attribute('product'), board: boardOf(usb) };
}

/** The sysfs folder of the USB device that a tty belongs to. */
async function usbFolder(start: string): Promise<string | null> {
  let folder = await realpath(start).catch(() => null); // No device behind it: a virtual terminal.
  for (let step = 0; folder !== null && step < MAX_CLIMB; step += 1) {
    if ((await textOf(join(folder, 'idVendor'))) !== null) return folder;
    folder = dirname(folder);
  }
  return null;
}

/** Names under /dev/serial/by-id, by the path they lead to. */
async function stableNames(roots: SystemRoots): Promise<ReadonlyMap<string, string>> {
  const folder = join(roots.dev, 'serial/by-id');
  const found = new Map<string, string>();
  for (const name of await entries(folder)) {
    const link = join(folder, name);
    const target = await realpath(link).catch(() => null); // A dangling link: unplugged this instant.
    if (target !== null) found.set(target, link);
  }
  return found;
}

async function entries(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []); // Not there: nothing of that kind on this machine.
}

async function textOf(file: string): Promise<string | null> {
  return readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => null, // An attribute that this device does not have.
  );
}
