import { describe, expect, it } from 'vitest';
import { config, MINIMAL, parse, problemAt } from './helpers.ts';

function withNode(virtualNode: object): string {
  return `${MINIMAL}virtual_node: ${JSON.stringify(virtualNode)}\n`;
}

describe('virtual_node', () => {
  it('is off without an address, and lets nobody change anything when it is on', () => {
    expect(config(MINIMAL).virtualNode).toBeNull();
    expect(config(withNode({ listen: '127.0.0.1:4404' })).virtualNode).toEqual({
      listen: { host: '127.0.0.1', port: 4404 },
      radio: 'default',
      allowAdmin: [],
      webClients: [],
    });
  });

  it('takes pages as browsers name them, however they are written', () => {
    const pages = ['https://Client.Meshtastic.org/', 'http://pi.lan:8080'];
    const { virtualNode } = config(withNode({ listen: ':4404', web_clients: pages }));
    expect(virtualNode?.webClients).toEqual(['https://client.meshtastic.org', 'http://pi.lan:8080']);
  });

  it.each(['*', 'client.meshtastic.org', 'https://example.org/web', 'file://x'])('takes no %s for a page', (page) => {
    const loaded = parse(withNode({ listen: ':4404', web_clients: [page] }));
    expect(problemAt(loaded, 'virtual_node.web_clients[0]')).toMatchObject({
      severity: 'error',
      message: 'is not valid',
      expected: expect.stringContaining('origins such as https://client.meshtastic.org'),
    });
  });
});
