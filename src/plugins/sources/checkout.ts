import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RETRY_LATER, RelayError } from '../../util/relay-error.ts';
import type { Git } from './git.ts';
import { type Origin, type Ref, redactUrl } from './repository.ts';

export interface Checkout {
  readonly folder: string;
  readonly commit: string;
  /** The code is not what was there before. */
  readonly changed: boolean;
}

export interface CheckoutOptions {
  readonly git: Git;
  /** `plugins/community` of the home. */
  readonly root: string;
  readonly origin: Origin;
  readonly ref: Ref;
  /** Ask the origin for news of a branch or tag; a commit never moves. */
  readonly update: boolean;
}

/** Where the code of an origin lies. */
export function checkoutFolder(root: string, origin: Origin): string {
  return join(root, ...origin.folder);
}

/**
 * Brings the code of an origin to a ref. A new checkout is made beside its place and moved there when complete; an
 * existing one is used only when it is from this very origin. @throws RelayError PLUGIN_GIT, PLUGIN_SOURCE
 */
export async function ensureCheckout(options: CheckoutOptions): Promise<Checkout> {
  const { git, root, origin, ref, update } = options;
  const folder = checkoutFolder(root, origin);
  if (!existsSync(join(folder, '.git'))) return { folder, commit: await cloneInto(folder, options), changed: true };
  await verifyOrigin(folder, options);
  const before = await headOf(git, folder);
  const isThere =
    ref.kind === 'commit'
      ? before.startsWith(ref.name.toLowerCase())
      : !update && (await readPlace(git, folder)) === placeOf(ref, before);
  if (isThere) {
    await git(['checkout', '--quiet', '--force', '--detach', before], { cwd: folder });
    return { folder, commit: before, changed: false };
  }
  const commit = await fetchRef(folder, options);
  await checkOut(folder, commit, options);
  return { folder, commit, changed: commit !== before };
}

async function checkOut(folder: string, commit: string, { git, ref }: CheckoutOptions): Promise<void> {
  await git(['checkout', '--quiet', '--force', '--detach', commit], { cwd: folder });
  await git(['config', '--local', PLACE_KEY, placeOf(ref, commit)], { cwd: folder });
}

/** Of which ref a checkout is, and where that was; kept with the commit, so that half a change is no change. */
const PLACE_KEY = 'mmrelay.place';

function placeOf(ref: Ref, commit: string): string {
  return `${ref.kind} ${ref.name} ${commit}`;
}

function readPlace(git: Git, folder: string): Promise<string> {
  return git(['config', '--local', '--default', '', '--get', PLACE_KEY], { cwd: folder });
}

/** Where the newest commit of the ref is, without fetching it; null when the origin does not say. */
export async function remoteHead(git: Git, { url }: Origin, ref: Ref | null): Promise<string | null> {
  const name = ref === null ? 'HEAD' : ref.kind === 'tag' ? `refs/tags/${ref.name}` : `refs/heads/${ref.name}`;
  const answer = await git(['ls-remote', '--', url, name, `${name}^{}`]);
  const lines = answer.split('\n').filter((line) => line !== '');
  // An annotated tag is followed by the commit it means.
  return lines.at(-1)?.split('\t')[0] ?? null;
}

async function cloneInto(folder: string, options: CheckoutOptions): Promise<string> {
  const { git, origin } = options;
  if (existsSync(folder)) throw new RelayError('PLUGIN_SOURCE', `${folder} is in the way: it is no checkout of git`);
  const staging = `${folder}.new`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  try {
    await git(['init', '--quiet', '--template=', '--', staging]);
    await git(['config', 'remote.origin.url', origin.url], { cwd: staging });
    const commit = await fetchRef(staging, options);
    await checkOut(staging, commit, options);
    renameSync(staging, folder);
    return commit;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Fetches the ref and nothing else. @returns the full commit id */
async function fetchRef(folder: string, { git, origin, ref }: CheckoutOptions): Promise<string> {
  const fetch = (spec: string, ...more: string[]): Promise<string> =>
    git(['fetch', '--quiet', '--force', '--no-tags', '--no-recurse-submodules', ...more, '--', origin.url, spec], {
      cwd: folder,
    });
  if (ref.kind !== 'commit') {
    await fetch(ref.kind === 'tag' ? `refs/tags/${ref.name}` : `refs/heads/${ref.name}`, '--depth=1');
    return git(['rev-parse', '--verify', '--end-of-options', 'FETCH_HEAD^{commit}'], { cwd: folder });
  }
  // An abbreviated id cannot be asked for, and some servers give no single commits: then take the branches.
  const isFull = ref.name.length === 40;
  const isAlone = isFull && (await fetch(ref.name.toLowerCase(), '--depth=1').then(yes, no));
  if (!isAlone) await fetch('+refs/heads/*:refs/remotes/origin/*');
  const found = ['rev-parse', '--verify', '--end-of-options', `${ref.name.toLowerCase()}^{commit}`];
  return git(found, { cwd: folder }).catch((cause: unknown) => {
    const text = `${redactUrl(origin.url)} has no commit ${ref.name}`;
    throw new RelayError('PLUGIN_GIT', text, { cause, retry: RETRY_LATER });
  });
}

const yes = (): boolean => true;
const no = (): boolean => false;

async function headOf(git: Git, folder: string): Promise<string> {
  return git(['rev-parse', '--verify', '--end-of-options', 'HEAD^{commit}'], { cwd: folder });
}

/** A checkout that came from elsewhere is never updated from here, nor run (spec 03 section 6.3). */
async function verifyOrigin(folder: string, { git, origin }: CheckoutOptions): Promise<void> {
  const known = await git(['config', '--local', '--get', 'remote.origin.url'], { cwd: folder });
  if (known !== origin.url)
    throw new RelayError(
      'PLUGIN_SOURCE',
      `${folder} is a checkout of another origin; remove it with "mmrelay plugins remove"`,
    );
}

const STATE_FILE = '.mmrelay-plugin-state.json';

export interface CheckoutState {
  readonly last_checked_at?: string;
  readonly last_notified_upstream_head?: string;
  readonly last_installed_requirements_commit?: string;
}

/** What was noted beside the code; empty when nothing, or nothing readable, is there. */
export function readState(folder: string): CheckoutState {
  try {
    return JSON.parse(readFileSync(join(folder, STATE_FILE), 'utf8')) as CheckoutState;
  } catch {
    return {}; // The first time, or a damaged note: it only saves work.
  }
}

export function writeState(folder: string, state: CheckoutState): void {
  const path = join(folder, STATE_FILE);
  writeFileSync(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
