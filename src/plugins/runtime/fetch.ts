import type { HttpRequest, RawHttpAnswer } from '../protocol.ts';

const MAX_REDIRECTS = 3;

/** One GET with a limit on time and size. Redirects stay on the same host. @throws Error in plain words */
export async function limitedFetch(request: HttpRequest): Promise<RawHttpAnswer> {
  const signal = AbortSignal.timeout(request.timeoutMs);
  try {
    let url = new URL(request.url);
    for (let hop = 0; ; hop += 1) {
      const answer = await fetch(url, { headers: request.headers, redirect: 'manual', signal });
      const location = answer.status >= 300 && answer.status < 400 ? answer.headers.get('location') : null;
      if (location === null)
        return {
          status: answer.status,
          headers: Object.fromEntries(answer.headers),
          body: await readBody(answer, request),
        };
      await answer.body?.cancel();
      const next = new URL(location, url);
      if (hop >= MAX_REDIRECTS || next.host !== url.host || next.protocol !== url.protocol)
        throw new Error(`${url.host} redirects to ${next.host}`);
      url = next;
    }
  } catch (error) {
    if (signal.aborted)
      throw new Error(`${new URL(request.url).host} did not answer within ${request.timeoutMs} ms`, { cause: error });
    throw reasonOf(error, request);
  }
}

/** "fetch failed" alone says nothing: the reason (a refused connection, a certificate) is in its cause. */
function reasonOf(error: unknown, { url }: HttpRequest): unknown {
  if (!(error instanceof TypeError) || !(error.cause instanceof Error)) return error;
  const { cause } = error;
  const code = 'code' in cause ? String(cause.code) : '';
  return new Error(`${new URL(url).host} cannot be reached: ${cause.message || code}`, { cause: error });
}

async function readBody(answer: Response, { maxBytes, url }: HttpRequest): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    // Leaving the loop cancels the stream.
    if (bytes > maxBytes) throw new Error(`The answer of ${new URL(url).host} is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
