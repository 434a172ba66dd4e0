import { RelayError } from '../../util/relay-error.ts';

/** Where a community plugin comes from, checked. */
export interface Origin {
  /** What git is given. */
  readonly url: string;
  /** Folder below the community folder, unlike that of any other origin: host, then path. */
  readonly folder: readonly string[];
  readonly protocol: 'https' | 'ssh' | 'file';
}

export interface Ref {
  readonly kind: 'commit' | 'tag' | 'branch';
  readonly name: string;
}

export interface OriginPolicy {
  readonly hosts: readonly string[];
  readonly allowLocal: boolean;
}

/**
 * Checks a repository address (spec 03 section 1.9): https and ssh from listed hosts and their sub-domains; paths and
 * `file://` only when allowed. Nothing that git could take for an option. @throws RelayError PLUGIN_SOURCE
 */
export function parseOrigin(repository: string, policy: OriginPolicy): Origin {
  const text = repository.trim();
  if (text === '' || text.startsWith('-')) throw refuse(text, 'it is no address');
  if ([...text].some((char) => char < ' ' || char === '\u007f')) throw refuse(text, 'it holds control characters');
  const scp = /^(?:([\w.-]+)@)?([\w.-]+):(?!\/\/)(?!\\)(.+)$/.exec(text);
  if (!text.includes('://') && scp === null) return local(text, policy);
  if (!text.includes('://')) {
    const [, user = 'git', host = '', path = ''] = scp ?? [];
    return remote(`ssh://${user}@${host}/${path.replace(/^\/+/, '')}`, policy);
  }
  if (text.startsWith('file://')) return local(fileUrlPath(text), policy);
  return remote(text.replace(/^(?:git\+ssh|ssh\+git):\/\//i, 'ssh://'), policy);
}

function local(path: string, { allowLocal }: OriginPolicy): Origin {
  if (!allowLocal) throw refuse(path, 'local paths need security.allow_local_plugin_paths');
  if (!path.startsWith('/')) throw refuse(path, 'a local path must be absolute');
  return { url: `file://${path}`, folder: ['local', ...folderParts(path, path)], protocol: 'file' };
}

function fileUrlPath(text: string): string {
  try {
    return decodeURIComponent(new URL(text).pathname);
  } catch (error) {
    throw refuse(text, 'it is no address', error);
  }
}

function remote(text: string, { hosts }: OriginPolicy): Origin {
  const url = parseUrl(text);
  const protocol = url.protocol.replace(':', '');
  if (protocol === 'http') throw refuse(text, 'http is not safe; use https');
  if (protocol !== 'https' && protocol !== 'ssh') throw refuse(text, `${protocol} addresses are not taken`);
  const host = url.hostname.toLowerCase();
  // ssh reads a host that begins with a dash as an option.
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(host)) throw refuse(text, `"${host}" is no host name`);
  if (!hosts.some((listed) => host === listed.toLowerCase() || host.endsWith(`.${listed.toLowerCase()}`)))
    throw refuse(text, `${host} is not in security.community_repo_hosts (${hosts.join(', ') || 'empty'})`);
  if (url.password !== '')
    throw refuse(text, 'a password does not belong into the configuration; use a credential helper or ssh');
  if (protocol === 'ssh' && !/^[\w.-]*$/.test(url.username)) throw refuse(text, 'it has a strange user name');
  const port = url.port === '' ? '' : `_${url.port}`;
  return { url: url.href, folder: [`${host}${port}`, ...folderParts(url.pathname, text)], protocol };
}

function parseUrl(text: string): URL {
  try {
    const url = new URL(text);
    url.search = '';
    url.hash = '';
    return url;
  } catch (error) {
    throw refuse(text, 'it is no address', error);
  }
}

/** Harmless path components of the address, without `.git`. */
function folderParts(path: string, shown: string): string[] {
  const parts = path
    .replace(/\.git\/*$/i, '')
    .split('/')
    .filter((part) => part !== '')
    .map((part) => part.toLowerCase());
  const fine = parts.length > 0 && parts.every((part) => /^[a-z0-9_~][\w.~-]*$/.test(part) && !part.includes('..'));
  if (!fine) throw refuse(shown, 'its path has components that cannot be a folder');
  return parts;
}

/** @throws RelayError PLUGIN_SOURCE for a ref that git could misread */
export function checkRef({ kind, name }: Ref): Ref {
  const pattern = kind === 'commit' ? /^[0-9a-fA-F]{7,40}$/ : /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;
  if (!pattern.test(name) || name.includes('..') || name.endsWith('.lock'))
    throw new RelayError('PLUGIN_SOURCE', `"${name}" is no ${kind}${kind === 'commit' ? ' (7 to 40 hex digits)' : ''}`);
  return { kind, name };
}

function refuse(address: string, why: string, cause?: unknown): RelayError {
  return new RelayError('PLUGIN_SOURCE', `The repository ${redactUrl(address)} is not taken: ${why}`, { cause });
}

/** An address without its password and secret parameters, for logs. */
export function redactUrl(address: string): string {
  return address
    .replace(/^(\w[\w+.-]*:\/\/)[^@/]*@/, '$1')
    .replace(/([?&](?:[\w-]*token|auth|key|password|pwd|secret|api_?key|client_secret|bearer)=)[^&#]*/gi, '$1…');
}
