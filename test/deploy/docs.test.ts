import { spawnSync } from 'node:child_process';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { text, there } from './support/tree.ts';

const pages = [
  'docs/KUBERNETES.md',
  'docs/HELM.md',
  'docs/DOCKER.md',
  'docs/INSTALL.md',
  'deploy/observability/README.md',
];
/** Written by others; their absence is not this test's business. */
const elsewhere = ['docs/MIGRATION.md', 'docs/E2EE.md', 'sample_config.yaml'];

const blocks = (page: string, language: string): readonly string[] =>
  [...text(page).matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1] ?? '');

const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replace(/\s/g, '-');

const subcommands = [
  'run',
  'doctor',
  'paths',
  'config',
  'auth',
  'migrate',
  'verify-migration',
  'backup',
  'restore',
  'demo',
  'service',
];

describe.each(pages)('%s', (page) => {
  it('has commands that a shell can parse', () => {
    for (const block of blocks(page, 'bash')) {
      const parsed = spawnSync('bash', ['-n'], { input: block, encoding: 'utf8' });
      expect(parsed.stderr, block).toBe('');
    }
  });

  it('has YAML that parses', () => {
    for (const block of blocks(page, 'yaml')) {
      for (const document of parseAllDocuments(block)) expect(document.errors).toEqual([]);
    }
  });

  it('links to what is there', () => {
    for (const [, target = ''] of text(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? page : normalize(join(dirname(page), file));
      if (elsewhere.includes(path)) continue;
      expect(there(path), target).toBe(true);
      const anchors = [...text(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading));
      if (anchor !== undefined) expect(anchors, target).toContain(anchor);
    }
  });

  it('names files of deploy/ that exist', () => {
    for (const [path] of text(page).matchAll(/\bdeploy\/[\w./-]+\.\w+/g)) expect(there(path), path).toBe(true);
  });

  it('uses commands that mmrelay has', () => {
    const called = blocks(page, 'bash').flatMap((block) => [
      ...block.matchAll(/(?:^|-- |npx |mmrelay )mmrelay (?:--\w+ \S+ )?([a-z][\w-]*)/gm),
    ]);
    for (const [line, name = ''] of called) {
      if (!/^(oci|deploy)/.test(name)) expect(subcommands, line).toContain(name);
    }
  });
});
