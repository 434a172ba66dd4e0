import { RETRY_LATER, RelayError } from '../../util/relay-error.ts';

/** @param label the radio, as people know it */
export function unreachable(label: string, why: string, cause?: unknown): RelayError {
  return new RelayError('RADIO_UNREACHABLE', `cannot reach the radio at ${label}: ${why}`, {
    retry: RETRY_LATER,
    cause,
  });
}

/** What was written may have arrived. @param label the radio, as people know it */
export function writeFailed(label: string, why: string, cause?: unknown): RelayError {
  const message = `writing to ${label} failed: ${why}`;
  return new RelayError('RADIO_WRITE_FAILED', message, { retry: RETRY_LATER, certain: false, cause });
}
