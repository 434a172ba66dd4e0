import type { LogFields, Logger } from '../../src/util/logger.ts';

/** A logger whose lines, of every level and component, go to `take`. */
export function loggerTo(take: (message: string, fields: LogFields) => void): Logger {
  const log = (message: string, fields: LogFields = {}): void => take(message, fields);
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  return logger;
}
