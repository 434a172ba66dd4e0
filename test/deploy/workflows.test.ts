import { describe, expect, it } from 'vitest';
import { document, filesBelow, type Loose, text } from './support/tree.ts';

const workflows = filesBelow('.github/workflows');

describe.each(workflows)('%s', (path) => {
  const workflow = document(path);
  const jobs: readonly Loose[] = Object.values(workflow.jobs);
  const steps: readonly Loose[] = jobs.flatMap((job) => job.steps);

  it('pins every action to a commit, and says which version that is', () => {
    for (const step of steps) if (step.uses) expect(step.uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    for (const [line] of text(path).matchAll(/uses:.*$/gm)) expect(line).toMatch(/ # v\d+\.\d+\.\d+$/);
  });

  it('starts from read-only rights and leaves no token in the checkout', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    for (const step of steps) {
      if (step.uses?.startsWith('actions/checkout@')) expect(step.with).toEqual({ 'persist-credentials': false });
    }
  });

  it('hands secrets and foreign text to a shell by environment only', () => {
    for (const step of steps) expect(step.run ?? '').not.toContain('${' + '{');
  });

  it('runs only npm scripts that exist', () => {
    const { scripts } = JSON.parse(text('package.json'));
    for (const [, name = ''] of text(path).matchAll(/npm run ([\w:-]+)/g)) expect(scripts, name).toHaveProperty(name);
  });
});

it('the release is signed, with SBOM and provenance, for all three platforms', () => {
  const release = text('.github/workflows/release.yml');
  for (const part of [
    'platforms: linux/amd64,linux/arm64',
    'platforms: linux/arm/v7',
    'sbom: true',
    'provenance: mode=max',
    'cosign sign --yes',
    'npm publish --provenance',
  ]) {
    expect(release).toContain(part);
  }
});

it('the changelog begins with the version of the package, and says something', () => {
  const { version } = JSON.parse(text('package.json'));
  const [, newest = '', notes = ''] =
    /^## (\S+)\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(text('docs/CHANGELOG.md')) ?? [];
  expect(newest).toBe(version);
  expect(notes).toMatch(/^- /m);
});
