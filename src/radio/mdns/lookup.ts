import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Clock } from '../../util/clock.ts';
import { type MdnsOptions, resolveLocal } from './browse.ts';

/**
 * A host lookup for sockets that answers `.local` names by multicast DNS itself when the system cannot: containers and
 * small systems have no resolver for them.
 */
export function localNameLookup(clock: Clock, mdns: Omit<MdnsOptions, 'clock' | 'signal'> = {}): LookupFunction {
  return (hostname, options, callback) => {
    systemLookup(hostname, options, (error, address, family) => {
      if (error === null || !/\.local\.?$/i.test(hostname)) {
        callback(error, address, family);
        return;
      }
      const signal = new AbortController().signal;
      resolveLocal(hostname, { clock, signal, ...mdns }).then(
        (found) => {
          if (found === null) callback(error, address, family);
          else if (options.all === true) callback(null, [{ address: found, family: 4 }]);
          else callback(null, found, 4);
        },
        () => callback(error, address, family),
      );
    });
  };
}
