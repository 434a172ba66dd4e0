import { expect, test } from 'vitest';
import { warnOfMappings } from '../../../src/app/radios/mapping-warnings.ts';
import type { RadioInfo } from '../../../src/relay/ports.ts';
import { loggerTo } from '../../support/logger-to.ts';
import { LORA, RADIO_INFO, route, settings } from '../../support/relay-fixture.ts';

test('a room of a channel that is not in use is named, and a radio without a region', () => {
  const said: string[] = [];
  const logger = loggerTo((message, fields) => said.push(`${message} ${JSON.stringify(fields)}`));
  const routes = [route({ channel: 0 }), route({ room: '#b:x', channel: 1 }), route({ room: '#c:x', channel: 2 })];
  const look = (name: string, info: RadioInfo | null): void =>
    warnOfMappings({ name, info }, settings({ routes }), logger);
  const secondary = { index: 1, name: 'Club', role: 'secondary', keyId: 'stock' } as const;
  const disabled = { ...secondary, index: 2, role: 'disabled' } as const;
  look('default', { ...RADIO_INFO, channels: [...RADIO_INFO.channels, secondary, disabled] });
  expect(said).toEqual([
    'A room belongs to a channel that is not in use on the radio {"radio":"default","room":"#c:x","channel":2}',
  ]);
  look('other', RADIO_INFO);
  look('default', null);
  look('default', { ...RADIO_INFO, channels: [] });
  expect(said).toHaveLength(1);
  look('other', { ...RADIO_INFO, lora: { ...LORA, region: 'UNSET' } });
  expect(said[1]).toContain('region of the radio is not set');
});
