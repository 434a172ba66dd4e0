import { isSecretName } from '../util/secret-names.ts';
import { type Draft, isMapping } from './draft.ts';
import type { Path } from './problems.ts';

/**
 * Values that must never be shown, for the log's redactor: those of keys that are secret by the schema or by their name
 * (plugins have keys of their own), and the passwords in URLs.
 */
export function secretValues(draft: Draft): string[] {
  return [...new Set(secretsBelow(draft, [], false))];
}

function secretsBelow(draft: Draft, path: Path, isSecret: boolean): string[] {
  const value = draft.get(path);
  if (typeof value === 'string') return isSecret ? [value] : urlSecrets(value);
  // Tokens and pass codes of digits only.
  if (typeof value === 'number' && isSecret) return [draft.text(path) ?? String(value)];
  if (Array.isArray(value)) return value.flatMap((_, index) => secretsBelow(draft, [...path, index], isSecret));
  if (!isMapping(value)) return [];
  return Object.keys(value).flatMap((name) => {
    const child = [...path, name];
    const node = draft.node(child);
    const isKnownToAll = draft.get(child) === node?.default;
    return secretsBelow(draft, child, isSecret || (!isKnownToAll && (node?.meta.secret ?? namesSecret(name))));
  });
}

/** `token`, and `tokens` for a list of them. */
function namesSecret(name: string): boolean {
  return isSecretName(name) || isSecretName(name.replace(/s$/, ''));
}

/** `https://user:password@host`; a user alone is a token with some git servers. */
function urlSecrets(text: string): string[] {
  if (!text.includes('@') || !URL.canParse(text)) return [];
  const { username, password } = new URL(text);
  const secret = password === '' ? username : password;
  // `git@host` is nobody's secret.
  return secret.length < 8 ? [] : [secret, decode(secret)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % in a password
  }
}
