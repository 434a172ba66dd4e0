import { type DestinationStream, type Logger as Pino, pino } from 'pino';
import type { Clock } from '../util/clock.ts';
import type { LogFields, Logger } from '../util/logger.ts';
import { isSecretName } from '../util/secret-names.ts';
import { LogFile } from './log-file.ts';
import { prettyLine } from './pretty.ts';
import { type Redactor, safeField } from './redact.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

export interface Levels {
  readonly level: Level;
  /** By component; a child `a.b` follows `a` unless it has its own. */
  readonly levels: Readonly<Record<string, Level>>;
}

export interface LogOptions extends Levels {
  readonly format: 'pretty' | 'json';
  readonly colour: boolean;
  /** Keep the field `messageText` of debug lines. */
  readonly messageText: boolean;
  readonly redactor: Redactor;
  readonly clock: Clock;
  /** The console: gets whole lines. */
  readonly write: (line: string) => void;
  /** null: no log file. */
  readonly file: { readonly path: string; readonly maxBytes: number; readonly backupCount: number } | null;
}

/** `auto` of the configuration: readable where a person looks on. */
export function chooseFormat(format: 'auto' | 'pretty' | 'json', isTerminal: boolean): 'pretty' | 'json' {
  if (format !== 'auto') return format;
  return isTerminal ? 'pretty' : 'json';
}

const ORDER: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
/** Kept only where the user asked for texts; nobody else may log them. */
const TEXT_FIELD = 'messageText';

/**
 * The log of the daemon. One per process. Holds the levels, which a reload changes for every logger at once, and the
 * file. Invariant: a line leaves only through the redactor, and on one line (json) or with its stack indented (pretty).
 */
export class LogSystem {
  readonly logger: Logger;
  readonly #options: LogOptions;
  readonly #file: LogFile | null;
  #levels: Levels;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#levels = options;
    const { file } = options;
    this.#file =
      file === null ? null : new LogFile({ ...file, onError: (error) => this.#fileTrouble(error, file.path) });
    const root = this.#pino({ write: (line) => this.#emit(line) });
    this.logger = new ComponentLogger(root, '', {}, this);
  }

  /** Changes the levels of all loggers, present and future. */
  setLevels(levels: Levels): void {
    this.#levels = levels;
  }

  /** Values that no line may show from now on. */
  hide(secrets: readonly string[]): void {
    for (const secret of secrets) this.#options.redactor.add(secret);
  }

  enabled(component: string, level: Level): boolean {
    return ORDER[level] >= ORDER[this.#levelOf(component)];
  }

  /** The fields of a line as they may be written. */
  fields(fields: LogFields, level: Level): Record<string, unknown> {
    const safe: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue;
      if (name === TEXT_FIELD && (level !== 'debug' || !this.#options.messageText)) continue;
      const key = RESERVED.has(name) ? `${name}_` : name;
      safe[key] = isSecretName(name) && value !== null ? '***' : safeField(value);
    }
    return safe;
  }

  close(): void {
    this.#file?.close();
  }

  #levelOf(component: string): Level {
    const { level, levels } = this.#levels;
    return levels[component] ?? levels[component.split('.')[0] ?? ''] ?? level;
  }

  #pino(stream: DestinationStream): Pino {
    const { clock } = this.#options;
    return pino(
      {
        level: 'debug',
        base: null,
        timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
      },
      stream,
    );
  }

  #emit(line: string): void {
    const clean = this.#options.redactor.redact(line);
    this.#options.write(this.#options.format === 'pretty' ? prettyLine(clean, this.#options.colour) : clean);
    this.#file?.write(clean);
  }

  #fileTrouble(error: unknown, path: string): void {
    const time = new Date(this.#options.clock.now()).toISOString();
    const fields = { level: 'error', time, component: 'log', msg: 'the log file cannot be written', path };
    const line = `${JSON.stringify({ ...fields, error: safeField(error) })}\n`;
    this.#options.write(this.#options.format === 'pretty' ? prettyLine(line, this.#options.colour) : line);
  }
}

const RESERVED = new Set(['level', 'time', 'msg', 'component']);

/** A logger of one part of the program. */
class ComponentLogger implements Logger {
  readonly #pino: Pino;
  readonly #component: string;
  readonly #fields: LogFields;
  readonly #system: LogSystem;

  constructor(root: Pino, component: string, fields: LogFields, system: LogSystem) {
    this.#pino = root;
    this.#component = component;
    this.#fields = fields;
    this.#system = system;
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  child(component: string, fields: LogFields = {}): Logger {
    return new ComponentLogger(this.#pino, component, { ...this.#fields, ...fields }, this.#system);
  }

  #log(level: Level, message: string, fields: LogFields = {}): void {
    if (!this.#system.enabled(this.#component, level)) return;
    const component = this.#component === '' ? {} : { component: this.#component };
    this.#pino[level]({ ...component, ...this.#system.fields({ ...this.#fields, ...fields }, level) }, message);
  }
}
