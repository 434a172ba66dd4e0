import type { LoginMethod } from '../app/log-in/log-in.ts';
import { plural } from '../util/plural.ts';
import { ask, isInteractive } from './ask.ts';

/** A login in the user's browser, with the words for it. */
export function browserMethod(way: 'sso' | 'oauth'): LoginMethod {
  return way === 'sso' ? ssoMethod() : OAUTH;
}

const OAUTH: LoginMethod = {
  kind: 'oauth',
  show: ({ address, userCode, completeAddress, validMs }) => {
    console.log('Open this address in a browser, on any machine, as the account of the relay:\n');
    console.log(`   ${completeAddress ?? address}\n`);
    console.log(`Code: ${userCode}`);
    console.log(`Waiting for you to confirm (${plural(Math.round(validMs / 60_000), 'minute')}) ...`);
  },
};

function ssoMethod(): LoginMethod {
  let asked = 0;
  const show = (address: string): void => {
    console.log('Open this address in a browser, and log in as the account of the relay:\n');
    console.log(`   ${address}\n`);
    console.log('Waiting for the browser (10 minutes) ...');
  };
  const askForAddress = async (signal: AbortSignal): Promise<string> => {
    if (!isInteractive()) return '';
    console.log(
      asked === 0
        ? 'A browser on another machine ends at a page that it cannot show: paste the address of that page here.'
        : 'That is not the address the browser ends at: it begins with http://127.0.0.1',
    );
    asked += 1;
    const answer = await ask('> ', signal);
    if (signal.aborted) console.log('');
    return answer;
  };
  return { kind: 'sso', dialogue: { show, askForAddress } };
}
