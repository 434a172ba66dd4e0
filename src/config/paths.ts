import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, parse, resolve } from 'node:path';
import type { Env } from './env.ts';
import { expandPath, userHome } from './expand.ts';
import { platformDataDir } from './platform-dir.ts';
import type { RelayConfig } from './types.ts';

export interface PathFlags {
  readonly home?: string | undefined;
  readonly baseDir?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly logfile?: string | undefined;
}

export interface ResolveOptions {
  readonly cli: PathFlags;
  readonly env: Env;
  readonly cwd: string;
  /** Overrides of the file count when it is there. */
  readonly config?: RelayConfig | null;
  /** The file the configuration came from: credentials may lie beside it. */
  readonly configFile?: string | null;
  readonly platform?: NodeJS.Platform;
}

/** A path and who decided it. */
export interface Sourced {
  readonly path: string;
  readonly source: string;
}

export interface ResolvedHome extends Sourced {
  /** Things to tell the user, as deprecated flags. */
  readonly notices: readonly string[];
  /** Why this home must not be used; null when it may. */
  readonly forbidden: string | null;
}

export interface AppPaths {
  readonly home: ResolvedHome;
  readonly credentials: Sourced;
  readonly database: Sourced;
  /** Encryption keys. */
  readonly store: Sourced;
  readonly logs: Sourced;
  readonly logFile: Sourced;
  readonly plugins: Sourced;
  readonly customPlugins: Sourced;
  readonly communityPlugins: Sourced;
  /** One daemon per home. */
  readonly lockFile: Sourced;
  /** null: no ready file. */
  readonly readyFile: Sourced | null;
  /** Other folders that hold data of an older installation. */
  readonly legacySources: readonly string[];
  /** Data in the home that lies where an older version kept it, and is used there. */
  readonly oldLayout: readonly string[];
}

const FORBIDDEN = new Set(['/', '/etc', '/usr', '/bin', '/sbin', '/boot', '/dev', '/proc', '/sys']);

/** The home folder. Creates nothing. */
export function resolveHome(options: Omit<ResolveOptions, 'config' | 'configFile'>): ResolvedHome {
  const { cli, env, cwd } = options;
  const platform = options.platform ?? process.platform;
  const notices = flagNotices(cli);
  const candidates: readonly (readonly [string | undefined, string])[] = [
    [cli.home, 'CLI (--home)'],
    [cli.baseDir, 'CLI (--base-dir)'],
    [cli.dataDir, 'CLI (--data-dir)'],
    [env.MMRELAY_HOME, 'MMRELAY_HOME env var'],
    [env.MMRELAY_BASE_DIR, 'MMRELAY_BASE_DIR env var'],
    [env.MMRELAY_DATA_DIR, 'MMRELAY_DATA_DIR env var'],
  ];
  for (const [value, source] of candidates) {
    if (value === undefined || value.trim() === '') continue;
    if (source.startsWith('MMRELAY_BASE') || source.startsWith('MMRELAY_DATA')) {
      notices.push(`${source.split(' ')[0] ?? ''} is deprecated: use MMRELAY_HOME`);
    }
    const path = expandPath(value, { env, cwd });
    return { path, source, notices, forbidden: forbidden(path, env, platform) };
  }
  const path = platform === 'win32' ? platformDataDir(env, platform) : join(userHome(env), '.mmrelay');
  return { path: resolve(path), source: 'Platform defaults', notices, forbidden: null };
}

function flagNotices(cli: PathFlags): string[] {
  const notices: string[] = [];
  const given = (value: string | undefined): boolean => value !== undefined && value.trim() !== '';
  const legacy = [given(cli.baseDir) ? '--base-dir' : '', given(cli.dataDir) ? '--data-dir' : ''].filter(Boolean);
  if (given(cli.home) && legacy.length > 0) notices.push('--home overrides --base-dir and --data-dir');
  else if (legacy.length === 2) notices.push('--base-dir overrides --data-dir');
  for (const flag of legacy) notices.push(`${flag} is deprecated: use --home`);
  return notices;
}

function forbidden(path: string, env: Env, platform: NodeJS.Platform): string | null {
  const plain = path.toLowerCase();
  const windows = ['SystemRoot', 'ProgramFiles', 'ProgramFiles(x86)'].map((name) => env[name]?.toLowerCase());
  const bad = platform === 'win32' ? windows.includes(plain) || parse(path).root === path : FORBIDDEN.has(plain);
  return bad ? `${path} belongs to the system and cannot be the home of the relay` : null;
}

/** Every path the program uses, and why it is that one. Looks at the disk, creates nothing. */
export function resolvePaths(options: ResolveOptions): AppPaths {
  const home = resolveHome(options);
  const inHome = (...parts: string[]): string => join(home.path, ...parts);
  const fixed = (...parts: string[]): Sourced => ({ path: inHome(...parts), source: 'home' });
  const logFile = logFileOf(options, home.path);
  const parts = {
    credentials: credentialsOf(options, home.path),
    database: databaseOf(options, home.path),
    store: storeOf(options, home.path),
  };
  const old = Object.values(parts).filter(({ source }) => source === OLD);
  return {
    home,
    ...parts,
    logFile,
    logs: logFile.source === 'home' ? fixed('logs') : { path: dirname(logFile.path), source: logFile.source },
    plugins: fixed('plugins'),
    customPlugins: fixed('plugins', 'custom'),
    communityPlugins: fixed('plugins', 'community'),
    lockFile: fixed('mmrelay.lock'),
    readyFile: readyFileOf(options),
    legacySources: legacySources(options, home.path),
    oldLayout: old.map(({ path }) => path),
  };
}

const OLD = 'home (older layout)';

/** The first that exists; if none does, the first. */
function pick(home: string, places: readonly (readonly string[])[]): Sourced {
  const paths = places.map((parts) => join(home, ...parts));
  const found = paths.findIndex((path) => existsSync(path));
  return { path: paths[Math.max(found, 0)] ?? home, source: found > 0 ? OLD : 'home' };
}

/**
 * The configured path; else `matrix/credentials.json` of 1.3 and 1.4, which those versions preferred; else the guide's
 * `credentials.json`; else one beside the configuration file.
 */
function credentialsOf(options: ResolveOptions, home: string): Sourced {
  const { env, cwd } = options;
  const configured = options.config?.matrix.credentialsPath ?? env.MMRELAY_CREDENTIALS_PATH;
  if (configured !== undefined && configured.trim() !== '') {
    const path = expandPath(configured, { env, cwd });
    const folder = /[/\\]$/.test(configured) || isDirectory(path);
    return { path: folder ? join(path, 'credentials.json') : path, source: 'matrix.credentials_path' };
  }
  const old = join(home, 'matrix', 'credentials.json');
  if (existsSync(old)) return { path: old, source: OLD };
  const own = join(home, 'credentials.json');
  if (existsSync(own) || typeof options.configFile !== 'string') return { path: own, source: 'home' };
  const folder = dirname(resolve(cwd, options.configFile));
  const beside = [join(folder, 'credentials.json'), join(folder, 'matrix', 'credentials.json')];
  const found = beside.find((path) => existsSync(path));
  return found === undefined ? { path: own, source: 'home' } : { path: found, source: 'beside the configuration file' };
}

function databaseOf(options: ResolveOptions, home: string): Sourced {
  const { env, cwd } = options;
  const configured = options.config?.database.path ?? env.MMRELAY_DATABASE_PATH;
  if (configured !== undefined && configured.trim() !== '') {
    return { path: expandPath(configured, { env, cwd }), source: 'database.path' };
  }
  const name = 'meshtastic.sqlite';
  return pick(home, [['database', name], ['data', name], [name]]);
}

function storeOf(options: ResolveOptions, home: string): Sourced {
  const { env, cwd } = options;
  const configured = options.config?.matrix.e2ee.storePath;
  if (typeof configured === 'string')
    return { path: expandPath(configured, { env, cwd }), source: 'matrix.e2ee.store_path' };
  const [own, old] = [join(home, 'store'), join(home, 'matrix', 'store')];
  // Every start of 1.3 and 1.4 made the old folder, with encryption or without: empty, it is nobody's place.
  return !existsSync(own) && hasFiles(old) ? { path: old, source: OLD } : { path: own, source: 'home' };
}

function logFileOf(options: ResolveOptions, home: string): Sourced {
  const { cli, env, cwd, config } = options;
  const candidates: readonly (readonly [string | null | undefined, string])[] = [
    [cli.logfile, 'CLI (--logfile)'],
    [env.MMRELAY_LOG_PATH, 'MMRELAY_LOG_PATH env var'],
    [env.MMRELAY_LOG_FILE, 'MMRELAY_LOG_FILE env var'],
    [config?.logging.filename, 'logging.filename'],
  ];
  for (const [value, source] of candidates) {
    if (typeof value === 'string' && value.trim() !== '') return { path: expandPath(value, { env, cwd }), source };
  }
  return { path: join(home, 'logs', 'mmrelay.log'), source: 'home' };
}

function readyFileOf({ config, env, cwd }: ResolveOptions): Sourced | null {
  const fromEnv = env.MMRELAY_READY_FILE;
  if (fromEnv !== undefined && fromEnv.trim() !== '') {
    return { path: expandPath(fromEnv, { env, cwd }), source: 'MMRELAY_READY_FILE env var' };
  }
  const configured = config?.health.readyFile;
  return typeof configured === 'string'
    ? { path: expandPath(configured, { env, cwd }), source: 'health.ready_file' }
    : null;
}

const ARTEFACTS = [
  ['config.yaml'],
  ['credentials.json'],
  ['matrix', 'credentials.json'],
  ['meshtastic.sqlite'],
  ['data', 'meshtastic.sqlite'],
  ['database', 'meshtastic.sqlite'],
  ['logs', 'mmrelay.log'],
  ['store'],
  ['matrix', 'store'],
] as const;

/** Folders beside the home that hold something of an installation. An empty folder is none. */
function legacySources(options: ResolveOptions, home: string): string[] {
  const { env, cwd } = options;
  const platform = options.platform ?? process.platform;
  const named = [env.MMRELAY_BASE_DIR, env.MMRELAY_DATA_DIR]
    .filter((path) => path !== undefined && path.trim() !== '')
    .map((path) => expandPath(path ?? '', { env, cwd }));
  const places = [
    join(userHome(env), '.mmrelay'),
    platformDataDir(env, platform),
    ...named,
    '/data',
    '/app/data',
    '/var/lib/mmrelay',
  ].map((path) => resolve(path));
  return [...new Set(places)].filter(
    (path) => path !== home && ARTEFACTS.some((parts) => existsSync(join(path, ...parts))),
  );
}

function hasFiles(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    return false; // not there, or not to be looked into
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
