import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SystemRoots } from '../../../src/radio/serial/ports.ts';

export interface UsbPort {
  /** As `ttyUSB0`. */
  readonly name: string;
  readonly vendorId: string;
  readonly productId: string;
  readonly serial?: string;
  readonly product?: string;
  /** Name under /dev/serial/by-id. */
  readonly byId?: string;
}

/** The folders of a Linux machine (/sys, /dev, /proc, /etc) in a temporary place, laid out as the kernel does. */
export class Machine {
  readonly root = mkdtempSync(join(tmpdir(), 'mmrelay-machine-'));
  readonly roots: SystemRoots = {
    sys: join(this.root, 'sys'),
    dev: join(this.root, 'dev'),
    proc: join(this.root, 'proc'),
    etc: join(this.root, 'etc'),
  };

  constructor() {
    for (const folder of Object.values(this.roots)) mkdirSync(folder);
    this.write('etc/group', 'root:x:0:\ndialout:x:20:relay\n');
  }

  /** Plugs a device in; the path of its port. */
  plug(port: UsbPort): string {
    const device = join(this.root, 'sys/devices/usb1', `1-${port.name}`);
    const tty = join(device, '1-1:1.0', port.name);
    this.write(join('sys/devices/usb1', `1-${port.name}`, 'idVendor'), `${port.vendorId}\n`);
    this.write(join('sys/devices/usb1', `1-${port.name}`, 'idProduct'), `${port.productId}\n`);
    if (port.serial !== undefined) writeFileSync(join(device, 'serial'), `${port.serial}\n`);
    if (port.product !== undefined) writeFileSync(join(device, 'product'), `${port.product}\n`);
    mkdirSync(tty, { recursive: true });
    mkdirSync(join(this.roots.sys, 'class/tty', port.name), { recursive: true });
    symlinkSync(tty, join(this.roots.sys, 'class/tty', port.name, 'device'));
    this.write(join('dev', port.name), '');
    if (port.byId !== undefined) {
      mkdirSync(join(this.roots.dev, 'serial/by-id'), { recursive: true });
      symlinkSync(join('../..', port.name), join(this.roots.dev, 'serial/by-id', port.byId));
    }
    return join(this.roots.dev, port.name);
  }

  unplug(name: string): void {
    rmSync(join(this.roots.sys, 'class/tty', name), { recursive: true });
    rmSync(join(this.root, 'sys/devices/usb1', `1-${name}`), { recursive: true });
    rmSync(join(this.roots.dev, name));
  }

  /** A process that has `path` open. */
  hold(pid: number, name: string, path: string): void {
    this.write(`proc/${pid}/comm`, `${name}\n`);
    mkdirSync(join(this.roots.proc, String(pid), 'fd'), { recursive: true });
    symlinkSync(path, join(this.roots.proc, String(pid), 'fd', '7'));
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
