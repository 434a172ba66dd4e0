import { createServer } from 'node:http';
import { closeHttp, listen } from '../../support/listen.ts';

export interface CasServer {
  readonly url: string;
  close(): Promise<void>;
}

/** A single sign-on service of the CAS kind in which everybody is `user`, as Synapse's cas_config wants it. */
export async function casServer(user: string): Promise<CasServer> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (url.pathname === '/login') {
      const back = new URL(url.searchParams.get('service') ?? '');
      back.searchParams.set('ticket', 'ST-1');
      response.writeHead(302, { Location: back.href }).end();
    } else {
      response.end(`<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">
<cas:authenticationSuccess><cas:user>${user}</cas:user></cas:authenticationSuccess></cas:serviceResponse>`);
    }
  });
  return {
    url: `http://127.0.0.1:${await listen(server)}`,
    close: () => closeHttp(server),
  };
}

/** What a browser without scripts does: follows redirects with its cookies, and the one link of Synapse's last page. */
export async function browse(address: string): Promise<string> {
  const cookies = new Map<string, string>();
  for (let next = address, hops = 0; hops < 10; hops += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(next, { redirect: 'manual', headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    const page = await response.text();
    const link = response.headers.get('Location') ?? /href="([^"]*loginToken=[^"]*)"/.exec(page)?.[1];
    if (link === undefined) return page;
    next = new URL(link.replaceAll('&amp;', '&'), next).href;
  }
  throw new Error('the browser goes round in circles');
}
