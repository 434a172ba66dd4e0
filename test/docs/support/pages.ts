import { filesBelow, text } from '../../deploy/support/tree.ts';

/** Everything that a person reads: README, docs/, and the pages beside the deployment files. */
export const pages: readonly string[] = ['README.md', ...filesBelow('docs'), ...filesBelow('deploy')].filter((path) =>
  path.endsWith('.md'),
);

/** The fenced blocks of a page that are in one of these languages. */
export function blocks(page: string, ...languages: readonly string[]): readonly string[] {
  const fence = new RegExp(`^ *\`\`\`(?:${languages.join('|')})\\n([\\s\\S]*?)^ *\`\`\``, 'gm');
  return [...text(page).matchAll(fence)].map(([, block = '']) => block);
}

/** The lines of the shell blocks, continued ones joined, without comments and what a pipe makes of them. */
export function shellLines(page: string): readonly string[] {
  const prompted = blocks(page, 'console').map((block) => block.replace(/^\$ /gm, ''));
  return [...blocks(page, 'bash', 'sh'), ...prompted]
    .flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}
