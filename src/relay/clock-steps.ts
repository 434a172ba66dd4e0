import type { Clock } from '../util/clock.ts';
import { isRecord } from '../util/json.ts';
import type { Logger } from '../util/logger.ts';
import type { StorePort } from './store-port.ts';
