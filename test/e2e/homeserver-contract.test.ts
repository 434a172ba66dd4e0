import { homeserverContract } from '../contract/homeserver-contract.ts';
import { startSynapse } from './support/synapse.ts';

homeserverContract('Synapse', startSynapse);
