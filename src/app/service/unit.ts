export interface UnitOptions {
  readonly scope: 'user' | 'system';
  /** Program and its first arguments, as `[node, mmrelay.js]`. */
  readonly launcher: readonly string[];
  /** Arguments of the relay, as `['--home', '/x']`. */
  readonly args: readonly string[];
  /** Folders it writes to. */
  readonly writable: readonly string[];
}

const COMMON = [
  'Type=notify',
  'NotifyAccess=all',
  'Restart=on-failure',
  'RestartSec=10',
  '# 2 usage, 3 config, 4 credentials: no restart cures these',
  'RestartPreventExitStatus=2 3 4',
  'TimeoutStartSec=5min',
  'TimeoutStopSec=30',
  'WatchdogSec=120',
  'Environment=NODE_ENV=production',
  // What keeps resident memory small (docs/BENCHMARKS.md); the C library reads it before our first line runs.
  'Environment=MALLOC_ARENA_MAX=1',
  'Environment=MALLOC_TRIM_THRESHOLD_=65536',
  'UMask=0077',
  'NoNewPrivileges=yes',
  'LockPersonality=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'SystemCallArchitectures=native',
  'MemoryMax=512M',
  'TasksMax=200',
];

/** What only the system manager can enforce: only its home is writable, only serial devices are seen. */
const SYSTEM = [
  'User=mmrelay',
  'Group=mmrelay',
  'SupplementaryGroups=dialout',
  'ProtectSystem=strict',
  'ProtectHome=read-only',
  'PrivateTmp=yes',
  'DevicePolicy=closed',
  'DeviceAllow=char-ttyUSB rw',
  'DeviceAllow=char-ttyACM rw',
  'DeviceAllow=char-ttyAMA rw',
  'DeviceAllow=char-ttyS rw',
  'ProtectKernelTunables=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelLogs=yes',
  'ProtectControlGroups=yes',
  'ProtectClock=yes',
  'ProtectHostname=yes',
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  'RestrictNamespaces=yes',
  'CapabilityBoundingSet=',
  'SystemCallFilter=@system-service',
  'SystemCallErrorNumber=EPERM',
];

/** The text of a systemd unit. */
export function unitText({ scope, launcher, args, writable }: UnitOptions): string {
  const own = scope === 'system' ? [...SYSTEM, ...writable.map((path) => `ReadWritePaths=${quote(path)}`)] : [];
  return [
    '# Written by `mmrelay service install`.',
    '[Unit]',
    'Description=mmrelay, between Meshtastic and Matrix',
    'Wants=network-online.target time-sync.target',
    'After=network-online.target time-sync.target bluetooth.target',
    'StartLimitIntervalSec=10min',
    'StartLimitBurst=10',
    '',
    '[Service]',
    `ExecStart=${[...launcher, ...args].map(quote).join(' ')}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    ...COMMON,
    ...own,
    '',
    '[Install]',
    `WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}`,
    '',
  ].join('\n');
}

/** One word of a unit file: specifiers and variables escaped, quoted where needed (systemd.service, command lines). */
export function quote(word: string): string {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$').replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return /[\s"';]/.test(word) || word === '' ? `"${escaped}"` : escaped;
}

/**
 * The unit of mmrelay 1.x with this program in its place: home, configuration and everything else somebody wrote into it
 * stay (M10). null when it does not start mmrelay, or starts this one already.
 */
export function modernUnit(text: string, launcher: readonly string[]): string | null {
  const line = /^ExecStart=(.*)$/m.exec(text)?.[1];
  if (line === undefined) return null;
  const words = line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  const program = words.findIndex((word) => /(?:^|\/)mmrelay"?$/.test(word));
  const asModule = words.findIndex((word, index) => word === '-m' && words[index + 1] === 'mmrelay');
  const last = asModule >= 0 ? asModule + 1 : program;
  if (last < 0 || line.startsWith(launcher.map(quote).join(' '))) return null;
  const args = words.slice(last + 1).map((word) => word.replace(/^--(?:base|data)-dir(?==|$)/, '--home'));
  const start = `ExecStart=${[...launcher.map(quote), ...args].join(' ')}`;
  const changed = text.replace(/^ExecStart=.*$/m, () => start).replace(/^Type=.*$/m, 'Type=notify');
  const withNotify = /^NotifyAccess=/m.test(changed)
    ? changed
    : changed.replace(/^ExecStart=/m, 'NotifyAccess=all\nExecStart=');
  return /^RestartPreventExitStatus=/m.test(withNotify)
    ? withNotify
    : withNotify.replace(/^ExecStart=/m, 'RestartPreventExitStatus=2 3 4\nExecStart=');
}

/** Whether a unit starts the relay of Python: as a module, or by the command that its installer left. */
export function startsPython(text: string): boolean {
  const start = /^ExecStart=(.*)$/m.exec(text)?.[1] ?? '';
  return /-m\s+mmrelay\b/.test(start) || (/PYTHONUNBUFFERED/.test(text) && /(?:^|[/\s])mmrelay"?(?:\s|$)/.test(start));
}
