import { bluetoothHub } from '../app/radios/build-radios.ts';
import { askRadio, type FindOptions, findRadios } from '../app/radios/find-radios.ts';
import { systemClock } from '../util/clock.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { silentLogger } from '../util/logger.ts';
import type { GlobalFlags } from './context.ts';

type FoundRadio = Awaited<ReturnType<typeof findRadios>>[number];

export interface RadiosFlags extends GlobalFlags {
  readonly ask?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `mmrelay radios`: what is in reach, and the lines of configuration for it. 0 when there is one, else 1. */
export async function radios(flags: RadiosFlags): Promise<ExitCode> {
  const signal = new AbortController().signal;
  const hub = bluetoothHub(silentLogger);
  const options: FindOptions = { clock: systemClock, random: Math.random, logger: silentLogger, hub, signal };
  if (flags.json !== true) console.log('Looking on USB, over Bluetooth and in the network (about 5 seconds)...');
  const found: FoundRadio[] = [];
  for (const radio of await findRadios(options)) {
    found.push(flags.ask === true && radio.busy === null ? await askRadio(radio, options) : radio);
  }
  if (flags.json === true) console.log(JSON.stringify({ radios: found }, null, 2));
  else for (const line of radioLines(found)) console.log(line);
  return found.length > 0 ? EXIT.ok : EXIT.runtime;
}

/** The list for people. */
export function radioLines(found: readonly FoundRadio[]): readonly string[] {
  if (found.length === 0) {
    return [
      'No radio found.',
      'USB: is the cable one for data? In a container pass the device in (--device).',
      'Bluetooth: is it on at both ends, and no phone connected to the radio?',
      'Network: is the Wi-Fi of the radio on, and in the same network? Name its address in the configuration.',
    ];
  }
  return found.flatMap((radio) => {
    const facts = [radio.name, radio.firmware, radio.detail, radio.busy].filter((fact) => fact !== null);
    return ['', `${WORDS[radio.kind]}: ${facts.join(', ')}`, ...configLines(radio).map((line) => `    ${line}`)];
  });
}

const WORDS: Readonly<Record<FoundRadio['kind'], string>> = {
  tcp: '🌐 Network',
  serial: '🔌 USB',
  ble: '📶 Bluetooth',
};

function configLines({ kind, target }: FoundRadio): readonly string[] {
  if (kind === 'serial') return ['connection_type: serial', `serial_port: ${target}`];
  if (kind === 'ble') return ['connection_type: ble', `ble_address: "${target}"`];
  const [host, port] = target.split(':');
  return ['connection_type: tcp', `host: ${host}`, ...(port === undefined ? [] : [`port: ${port}`])];
}
