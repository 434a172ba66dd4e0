/** Fields of a log line. Never message texts (observe/ adds those only when the user asked), never secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A static sentence plus fields. Level by who must act: error = we, warn = the operator, info = nobody, debug = a developer. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger of a part of the program: `component` becomes the name, fields are added to each line. */
  child(component: string, fields?: LogFields): Logger;
}

const nothing = (): void => undefined;

export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
};
