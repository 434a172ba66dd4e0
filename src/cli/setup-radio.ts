import { bluetoothHub } from '../app/radios/build-radios.ts';
import { type FindOptions, findRadios, visitRadio } from '../app/radios/find-radios.ts';
import { connectOfAnswer, parseRadio, type RadioAnswer } from '../app/setup/answers.ts';
import { systemClock } from '../util/clock.ts';
import { silentLogger } from '../util/logger.ts';
import { askFor, type Dialogue } from './dialogue.ts';

export type RadioFacts = NonNullable<Awaited<ReturnType<typeof visitRadio>>['info']>;

export interface ChosenRadio {
  readonly answer: RadioAnswer;
  /** What it says of itself; null when nobody asked, or it did not answer. */
  readonly facts: RadioFacts | null;
}

/** Finds the radio and asks it for its channels. null: nothing usable was named. */
export async function chooseRadio(named: string | undefined, dialogue: Dialogue): Promise<ChosenRadio | null> {
  const options: FindOptions = {
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    hub: bluetoothHub(silentLogger),
    signal: new AbortController().signal,
  };
  const answer = named === undefined ? await search(dialogue, options) : parseRadio(named);
  if (answer === null || !dialogue.talks) return answer === null ? null : { answer, facts: null };
  return { answer, facts: await visit(answer, options) };
}

async function search(dialogue: Dialogue, options: FindOptions): Promise<RadioAnswer | null> {
  if (!dialogue.talks) return null;
  console.log('Looking for radios on USB, over Bluetooth and in the network (about 5 seconds)...');
  const found = await findRadios(options);
  for (const [index, { kind, target, name, detail, busy }] of found.entries()) {
    const facts = [name, detail, busy].filter((fact) => fact !== null).join(', ');
    console.log(`   ${index + 1}. ${kind} ${target}${facts === '' ? '' : ` (${facts})`}`);
  }
  if (found.length === 0) console.log('   none found; one in another network can still be named');
  const text = `${found.length === 0 ? 'Radio: ' : 'Number, or '}host[:port], /dev/..., ble:address`;
  const complaint = 'That is no number of the list, no host, no device.';
  return askFor(dialogue, { text, byDefault: found.length === 0 ? '' : '1', complaint }, (given) => {
    if (!/^\d+$/.test(given)) return parseRadio(given);
    const picked = found[Number(given) - 1];
    return picked === undefined ? null : parseRadio(`${picked.kind}:${picked.target}`);
  });
}

async function visit(answer: RadioAnswer, options: FindOptions): Promise<RadioFacts | null> {
  const connect = connectOfAnswer(answer, options.hub);
  if (connect === null) return null;
  console.log('Asking it for its channels...');
  const { info, name, reason } = await visitRadio(connect, options);
  if (info === null) {
    console.log(`⚠️  It does not answer${reason === null ? '' : ` (${reason})`}; the relay will keep trying.`);
    return null;
  }
  const facts = [info.hwModel, info.firmwareVersion, info.lora?.region].filter((fact) => fact !== null && fact !== '');
  console.log(`✅ ${name ?? 'It answers'} (${facts.join(', ')})`);
  if (info.lora?.region === 'UNSET') {
    console.log('⚠️  Its region is not set: it neither sends nor hears. Set it in the Meshtastic app.');
  }
  return info;
}
