/** Turns the words of Bluetooth stacks into plain ones. `what` is the peripheral as the operator knows it. */
export function bleAdvice(text: string, what: string): string {
  const known = ADVICE.find(({ pattern }) => pattern.test(text));
  return known === undefined ? text : `${known.advice(what)} (${text})`;
}

const ADVICE: readonly { readonly pattern: RegExp; readonly advice: (what: string) => string }[] = [
  {
    pattern: /EPERM|operation not permitted|unauthorized/i,
    advice: () =>
      'raw Bluetooth needs rights: run bluetoothd and use D-Bus, or give node the capability ' +
      '(setcap cap_net_raw,cap_net_admin+eip); in a container --cap-add NET_ADMIN --cap-add NET_RAW --network host',
  },
  {
    // ATT "insufficient authentication/encryption", BlueZ org.bluez.Error.NotPermitted/AuthenticationFailed.
    pattern: /auth|encrypt|not ?permitted|not paired|pairing|PIN or key|\(0x5\)|\(0x6\)/i,
    advice: (what) =>
      `the radio wants to be paired with: run "bluetoothctl", then "scan on", "pair ${what}", type the PIN that the ` +
      `radio shows (123456 when it has a fixed one and no screen), then "trust ${what}"; when it was paired before, ` +
      `"remove ${what}" first`,
  },
  {
    pattern: /already connected|in ?progress|connection (rejected|limit)|limited resources/i,
    advice: (what) =>
      `${what} is connected elsewhere, probably to a phone: a radio serves one Bluetooth client at a time; ` +
      'disconnect it there',
  },
  {
    // HCI 0x3e and its kin: the connection request went unanswered.
    pattern: /failed to be established|abort-by-local|le-connection|page timeout|connection timeout/i,
    advice: (what) => `${what} does not answer (out of reach, or connected to a phone?)`,
  },
  {
    pattern: /dbus-next|ENOENT.*bus|ECONNREFUSED.*bus|not provided by any|No BlueZ adapter/i,
    advice: () => 'the Bluetooth service of the system does not answer (is bluetoothd installed and running?)',
  },
];
