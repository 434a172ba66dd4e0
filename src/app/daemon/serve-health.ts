import type { RelayConfig } from '../../config/types.ts';
import { type HealthServer, startHealthServer } from '../../observe/health-server.ts';
import type { MetricsRegistry } from '../../observe/metrics.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText } from '../../util/relay-error.ts';
import type { Daemon } from './daemon.ts';

/** null: not wanted. A taken port must not stop the relay: its messages matter more than its metrics. */
export async function serveHealth(
  config: RelayConfig,
  context: { readonly logger: Logger; readonly daemon: Daemon; readonly registry: MetricsRegistry },
): Promise<HealthServer | null> {
  const { listen } = config.health;
  if (listen === null) return null;
  const { daemon, registry } = context;
  const logger = context.logger.child('health');
  try {
    const server = await startHealthServer({
      ...listen,
      report: () => daemon.health(),
      alive: () => daemon.alive(),
      metrics: registry,
      logger,
    });
    logger.info('Health and metrics are served', { host: listen.host, port: server.port });
    return server;
  } catch (error) {
    logger.error('Health and metrics cannot be served', { ...listen, error: errorText(error) });
    return null;
  }
}
