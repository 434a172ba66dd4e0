import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { migrateUnit } from '../../../src/app/service/install.ts';
import { modernUnit, quote, unitText } from '../../../src/app/service/unit.ts';
import { put, scratch } from '../../support/old-homes.ts';

const OLD = `[Unit]
Description=A Meshtastic <=> Matrix Relay
After=network-online.target time-sync.target
[Service]
Type=simple
ExecStart=/home/u/.local/bin/mmrelay --config /etc/mm.yaml --base-dir "/srv/my relay" --logfile %h/x.log
Environment=PYTHONUNBUFFERED=1
Restart=on-failure
[Install]
WantedBy=default.target
`;
const LAUNCHER = ['/usr/bin/node', '/opt/mmrelay/dist/mmrelay.js'];

test('M10: the unit of 1.x keeps its settings and starts this program; the old file is really kept', () => {
  const path = join(scratch(), 'mmrelay.service');
  put(path, OLD);
  expect(migrateUnit(path, LAUNCHER, { dryRun: true })).toBe(true);
  expect(readFileSync(path, 'utf8')).toBe(OLD);
  expect(migrateUnit(path, LAUNCHER, { dryRun: false })).toBe(true);
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(
    'ExecStart=/usr/bin/node /opt/mmrelay/dist/mmrelay.js --config /etc/mm.yaml --home "/srv/my relay" --logfile %h/x.log\n',
  );
  expect(text).toContain('Type=notify\n');
  expect(text).toContain('RestartPreventExitStatus=2 3 4\n');
  expect(text).toContain('Environment=PYTHONUNBUFFERED=1\n');
  expect(readFileSync(`${path}.bak`, 'utf8')).toBe(OLD);
  expect(migrateUnit(path, LAUNCHER, { dryRun: false })).toBe(false);
  expect(migrateUnit(join(scratch(), 'none'), LAUNCHER, { dryRun: false })).toBe(false);
});

test.each([
  ['ExecStart=/usr/bin/env mmrelay --home=/x', '--home=/x'],
  ['ExecStart=/usr/bin/python3 -m mmrelay --data-dir=/x', '--home=/x'],
  ['ExecStart="/opt/my tools/mmrelay" --home /x', '--home /x'],
])('%s is recognised', (line, args) => {
  expect(modernUnit(`[Service]\n${line}\n`, LAUNCHER)).toContain(`mmrelay.js ${args}\n`);
});

test('other programs are left alone', () => {
  expect(modernUnit('[Service]\nExecStart=/usr/bin/other --home /x\n', LAUNCHER)).toBeNull();
});

test('words of a unit are quoted, specifiers escaped', () => {
  expect(quote('/a b/%h$x')).toBe('"/a b/%%h$$x"');
  expect(quote('plain')).toBe('plain');
});

test('the system unit is as tight as the one in deploy/', () => {
  const options = { launcher: ['/usr/local/bin/mmrelay'], args: ['--home', '/var/lib/mmrelay'] };
  const text = unitText({ ...options, scope: 'system', writable: ['/var/lib/mmrelay'] });
  const shipped = readFileSync('deploy/systemd/mmrelay.service', 'utf8');
  const keys =
    /^(NoNewPrivileges|ProtectSystem|DevicePolicy|DeviceAllow|CapabilityBoundingSet|RestrictAddressFamilies|Type|WatchdogSec|RestartPreventExitStatus)=.*$/gm;
  for (const [line] of shipped.matchAll(keys)) expect(text).toContain(line);
  expect(text).toContain('ReadWritePaths=/var/lib/mmrelay');
  const user = unitText({ ...options, scope: 'user', writable: [] });
  expect(user).toContain('NoNewPrivileges=yes');
  expect(user).not.toContain('User=');
  expect(existsSync('deploy/systemd/mmrelay.service')).toBe(true);
});
