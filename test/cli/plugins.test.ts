import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRepository, pluginCode } from '../plugins/sources/git-server.ts';
import { type CliBox, cliBox } from './run-cli.ts';

function configured(sections: string): CliBox {
  const box = cliBox();
  mkdirSync(box.home, { recursive: true });
  writeFileSync(
    join(box.home, 'config.yaml'),
    `matrix_rooms: [{id: "#mesh:example.org", meshtastic_channel: 0}]
meshtastic: {connection_type: tcp, host: radio.lan, meshnet_name: Test}
${sections}`,
  );
  return box;
}

const tail = (text: string, from: string): string => text.slice(text.indexOf(from));

describe('plugins', () => {
  test('before there is a configuration: what there is, and how to go on', async () => {
    const { run } = cliBox();
    const { code, out, err } = await run('plugins', 'list');
    expect([code, err]).toEqual([0, '']);
    expect(
      tail(out, '  weather'),
    ).toBe(`  weather     core       Show weather forecast for a radio node using GPS location
  who         core       Show who was heard lately, by hops

There is no configuration yet, so none is active: \`mmrelay setup\` or \`mmrelay config generate\`.

* active. Switch one on with "active: true" in its section of the configuration.
`);
  });

  test('one of your own from its first day to its last', async () => {
    const { run, home } = configured('plugins: {ping: {active: true}}\ncustom-plugins: {lamp: {active: true}}\n');
    expect(await run('plugins', 'new', 'lamp')).toMatchObject({
      code: 0,
      out: `Wrote a working plugin to <root>/.mmrelay/plugins/custom/lamp.

Test it:       mmrelay plugins test lamp
Play with it:  mmrelay demo --quiet --plugin lamp
Switch it on:  in config.yaml
                 custom-plugins:
                   lamp:
                     active: true
`,
    });
    const tested = await run('plugins', 'test', 'lamp');
    expect([tested.code, tail(tested.out, '3 of')]).toEqual([0, '3 of 3 tests passed\n']);
    const { out } = await run('plugins', 'list');
    expect(out).toContain('\n* ping        core       Check connectivity with the relay; optional');
    expect(out).toContain('\n* lamp        custom     <root>/.mmrelay/plugins/custom/lamp/index.ts\n');
    const removed = await run('plugins', 'remove', 'lamp');
    expect(removed.out.replace(/lamp-\d+/, 'lamp-<time>')).toBe(
      `Removed the code: <root>/.mmrelay/plugins/custom/lamp. Its entry in the configuration and its data stay.
It is your own, so it is kept in <root>/.mmrelay/plugins/removed/lamp-<time>; delete that when you like.
`,
    );
    expect((await run('plugins', 'list')).out).toContain(
      `\n* lamp        custom     There is no ${join(home, 'plugins', 'custom', 'lamp').replace(/^.*\.mmrelay/, '<root>/.mmrelay')}; "mmrelay plugins new lamp" makes one\n`,
    );
    expect(await run('plugins', 'remove', 'lamp')).toMatchObject({
      code: 1,
      err: 'There is no code of a plugin called lamp; see "mmrelay plugins list"\n',
    });
  });

  test('from git: installed, unchanged, updated, refused', async () => {
    const repository = createRepository('lamp');
    const first = repository.commit({ 'index.js': pluginCode('lamp', '1') }).slice(0, 12);
    const { run } = configured(`security: {allow_local_plugin_paths: true}
community-plugins:
  lamp: {active: true, repository: "${repository.url}", branch: main}
  away: {active: false, repository: "https://evil.example/x/y", branch: main}
`);
    const installed = await run('plugins', 'install', 'lamp');
    expect(installed).toMatchObject({ code: 0, out: `lamp: now at ${first}\n` });
    expect((await run('plugins', 'install', 'lamp')).out).toBe(`lamp: unchanged at ${first}\n`);
    const second = repository.commit({ 'index.js': pluginCode('lamp', '2') }).slice(0, 12);
    const updated = await run('plugins', 'update');
    expect(updated.code).toBe(1);
    expect(updated.out).toMatch(new RegExp(`^lamp: now at ${second}\naway: .*evil\\.example.*\n$`));
    expect(await run('plugins', 'install', 'nobody')).toMatchObject({
      code: 1,
      err: 'Not in community-plugins of the configuration: nobody\n',
    });
  });

  test('what is switched on and could not start is named by config check, with its line', async () => {
    const { run } = configured(`custom-plugins:
  gone: {active: true}
  off: {active: false}
community-plugins:
  away: {active: true, repository: "https://evil.example/x/y", branch: main}
`);
    const { code, out } = await run('config', 'check');
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => line.includes('does not run'))).toEqual([
      expect.stringMatching(
        /config\.yaml:4:3: warning: custom-plugins\.gone: does not run: There is no .*"mmrelay plugins new gone" makes one$/,
      ),
      expect.stringMatching(/config\.yaml:7:3: warning: community-plugins\.away: does not run: .*evil\.example/),
    ]);
    expect((await run('config', 'check', '--strict')).code).toBe(3);
  });

  test('the configuration is broken: the list still comes, and says what it does not know', async () => {
    const { run } = configured('plugins: [');
    const { code, out } = await run('plugins', 'list');
    expect(code).toBe(0);
    expect(out).toContain('Which are active is not known: the configuration is not valid (`mmrelay config check`).');
    const rows = JSON.parse((await run('plugins', 'list', '--json')).out) as readonly { readonly active: boolean }[];
    expect(rows.some(({ active }) => active)).toBe(false);
  });
});
