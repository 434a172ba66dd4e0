import { connect } from 'node:net';
import { errorCode, errorText, RelayError } from '../../util/relay-error.ts';
import { type Endpoint, openEndpoint } from './endpoint.ts';
import { CONTROL_VERSION, type ControlVerbs, parseAnswer } from './protocol.ts';

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_CHARS = 4 * 1024 ** 2;

/**
 * Asks the relay that runs on a home.
 * @throws RelayError CONTROL_NOBODY when none listens, CONTROL_DENIED to another user, CONTROL_SILENT when it does not
 * answer in time, CONTROL_REFUSED with the relay's own words
 */
export async function askDaemon<V extends keyof ControlVerbs>(
  home: string,
  verb: V,
  options: { readonly args: ControlVerbs[V]['args']; readonly timeoutMs?: number },
): Promise<ControlVerbs[V]['result']> {
  const endpoint = endpointOf(home);
  try {
    const request = `${JSON.stringify({ v: CONTROL_VERSION, verb, args: options.args })}\n`;
    const line = await exchange(endpoint.path, request, options.timeoutMs ?? TIMEOUT_MS);
    // The version says that the relay answers in these types.
    return parseAnswer(line) as ControlVerbs[V]['result'];
  } catch (error) {
    throw error instanceof RelayError ? error : asRelayError(error, home);
  } finally {
    endpoint.close();
  }
}

function endpointOf(home: string): Endpoint {
  try {
    return openEndpoint(home);
  } catch (error) {
    throw asRelayError(error, home);
  }
}

function exchange(path: string, request: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path, () => socket.write(request));
    const end = (finish: () => void): void => {
      socket.destroy();
      finish();
    };
    socket.setEncoding('utf8');
    socket.setTimeout(timeoutMs, () => end(() => reject(silent())));
    socket.on('data', (chunk: string) => {
      text += chunk;
      const newline = text.indexOf('\n');
      if (newline >= 0) end(() => resolve(text.slice(0, newline)));
      else if (text.length > MAX_ANSWER_CHARS) end(() => reject(silent()));
    });
    socket.on('end', () => end(() => reject(silent())));
    socket.on('error', (error) => end(() => reject(error)));
  });
}

function silent(): RelayError {
  return new RelayError('CONTROL_SILENT', 'The relay runs and does not answer: see `mmrelay doctor`');
}

function asRelayError(error: unknown, home: string): RelayError {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR')
    return new RelayError('CONTROL_NOBODY', `No relay runs on ${home}`, { cause: error });
  if (code === 'EACCES' || code === 'EPERM')
    return new RelayError('CONTROL_DENIED', `The relay of ${home} belongs to another user: ask as that one`);
  return new RelayError('CONTROL_SILENT', `The relay of ${home} cannot be asked: ${errorText(error)}`, {
    cause: error,
  });
}
