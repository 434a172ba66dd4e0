import { spawnSync } from 'node:child_process';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { text, there } from '../deploy/support/tree.ts';
import { blocks, pages } from './support/pages.ts';

const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replace(/\s/g, '-');

describe.each(pages)('%s', (page) => {
  it('has commands that a shell can parse', () => {
    for (const block of blocks(page, 'bash', 'sh')) {
      const parsed = spawnSync('bash', ['-n'], { input: block, encoding: 'utf8' });
      expect(parsed.stderr, block).toBe('');
    }
  });

  it('has YAML that parses', () => {
    for (const block of blocks(page, 'yaml')) {
      for (const document of parseAllDocuments(block)) expect(document.errors, block).toEqual([]);
    }
  });

  it('links to what is there', () => {
    for (const [, target = ''] of text(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? page : normalize(join(dirname(page), file));
      expect(there(path), target).toBe(true);
      if (anchor === undefined) continue;
      const anchors = [...text(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading));
      expect(anchors, target).toContain(anchor);
    }
  });

  it('names files of ours that exist', () => {
    for (const [path] of text(page).matchAll(/(?<![\w/])(?:deploy|\.ci|test|src|plugins)\/[\w./-]+\.\w+/g))
      expect(there(path), path).toBe(true);
  });
});

it('the first page is short', () => {
  expect(text('README.md').split('\n').length).toBeLessThan(150);
});
