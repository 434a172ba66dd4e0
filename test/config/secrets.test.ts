import { expect, test } from 'vitest';
import { MINIMAL, parse } from './helpers.ts';

const secretsOf = (lines: string): readonly string[] => parse(MINIMAL + lines).secrets;

test('secret is what the schema says, what is called so, and what a URL carries', () => {
  expect(
    secretsOf(`  mqtt: {host: h, username: me, password: mqtt-pass, channels: [{name: Private, psk: c2VjcmV0}]}
matrix: {password: matrix-pass, access_token: syt_x}
custom-plugins:
  mine: {active: true, api_key: k-1, owm_api_key: k-2, aprs: {passcode: 12345}, tokens: [t-1, t-2], colour: red}
community-plugins:
  theirs: {repository: "https://me:p%40ssword@git.example.org/x.git"}
  others: {repository: "https://ghp_0123456789@github.com/x/y.git"}
`),
  ).toEqual([
    ...['mqtt-pass', 'c2VjcmV0', 'matrix-pass', 'syt_x', 'k-1', 'k-2', '12345', 't-1', 't-2'],
    ...['p%40ssword', 'p@ssword', 'ghp_0123456789'],
  ]);
});

test('what everybody knows is no secret: it would blot out the log', () => {
  expect(
    secretsOf(`  mqtt: {host: h, channels: [{name: LongFast, psk: AQ==}]}
matrix: {password_file: /run/secrets/password}
community-plugins: {mine: {repository: "git@github.com:x/y.git"}, its: {repository: "ssh://git@github.com/x/y"}}
`),
  ).toEqual([]);
});
