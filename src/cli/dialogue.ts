import { ask, isInteractive } from './ask.ts';

/** Questions to a person; tests answer them from a list. */
export interface Dialogue {
  /** False: nobody is there, flags have to say everything. */
  readonly talks: boolean;
  ask(question: string): Promise<string>;
}

export function terminalDialogue(yes: boolean): Dialogue {
  return { talks: isInteractive({ yes }), ask };
}

const MAX_TRIES = 3;

/**
 * Asks until `read` understands the answer, three times at most. An empty answer is `byDefault`.
 * @returns null when nothing was understood
 */
export async function askFor<T>(
  dialogue: Dialogue,
  question: { readonly text: string; readonly byDefault: string; readonly complaint: string },
  read: (answer: string) => T | null,
): Promise<T | null> {
  const hint = question.byDefault === '' ? '' : ` [${question.byDefault}]`;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const answer = (await dialogue.ask(`${question.text}${hint}: `)).trim();
    const found = read(answer === '' ? question.byDefault : answer);
    if (found !== null) return found;
    console.log(`   ${question.complaint}`);
  }
  return null;
}

/** y or n; anything else is the default. */
export async function confirm(dialogue: Dialogue, question: string, byDefault: boolean): Promise<boolean> {
  const answer = (await dialogue.ask(`${question} [${byDefault ? 'Y/n' : 'y/N'}]: `)).trim().toLowerCase();
  if (answer.startsWith('y')) return true;
  return answer.startsWith('n') ? false : byDefault;
}
