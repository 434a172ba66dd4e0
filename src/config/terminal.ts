import type { Env } from './env.ts';

export interface TerminalAbilities {
  readonly colour: boolean;
  /** Signs beyond ASCII, such as a green tick. */
  readonly symbols: boolean;
}

/** Terminals that show letters and not much else: `linux` is the text console of a PC or a Raspberry Pi. */
const PLAIN = /^(dumb|linux|vt\d+\w*|ansi|cons25)$/;

/**
 * What can be shown. Colours on a terminal only: `NO_COLOR` switches them off, `FORCE_COLOR` on (`0`: off). Symbols where
 * they are known not to break; in a pipe always, because scripts for the Python relay look for its marker lines.
 */
export function terminalAbilities(env: Env, isTerminal: boolean): TerminalAbilities {
  const { TERM = '', NO_COLOR = '', FORCE_COLOR } = env;
  const isForced = FORCE_COLOR !== undefined && !/^(0|false)$/i.test(FORCE_COLOR);
  const isWanted = FORCE_COLOR === undefined ? isTerminal && TERM !== 'dumb' : isForced;
  return {
    colour: isWanted && NO_COLOR === '',
    symbols: !isTerminal || (!PLAIN.test(TERM) && speaksUnicode(env)),
  };
}

/** A locale that is not set says nothing. */
function speaksUnicode({ LC_ALL, LC_CTYPE, LANG }: Env): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((name) => name !== undefined && name !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}
