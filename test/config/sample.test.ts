import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configurationPage } from '../../src/config/docs-page.ts';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { SCHEMA_LINE, sampleConfig } from '../../src/config/sample.ts';
import { rootSchema } from '../../src/config/schema/root.ts';
import { type KeyNode, keyTree } from '../../src/config/schema/tree.ts';
import { parse } from './helpers.ts';

const REMEDY = 'run `node test/config/regenerate.ts`';

describe('what is made from the schema', () => {
  test.each(['sample_config.yaml', 'src/mmrelay/tools/sample_config.yaml'])('%s', (path) => {
    expect(readFileSync(path, 'utf8'), REMEDY).toBe(sampleConfig());
    expect(sampleConfig().split('\n')[0]).toBe(SCHEMA_LINE);
  });

  test('docs/CONFIGURATION.md', () =>
    expect(readFileSync('docs/CONFIGURATION.md', 'utf8'), REMEDY).toBe(configurationPage()));

  test('the sample is right but for its placeholders', () => {
    const problems = parse(sampleConfig()).problems.map(({ severity, path }) => [severity, path]);
    expect(problems).toEqual([
      ['warning', 'meshtastic.meshnet_name'],
      ['error', 'matrix_rooms[0].id'],
    ]);
  });

  // Remarks of a key itself: files that are not there.
  const FILES = /_file$/;
  const tree = keyTree(rootSchema({ radios: 'single', rooms: 'list' }));

  test.each(
    [...tree.children.keys()].filter((name) => !name.includes('plugins')),
  )('commented keys of %s may be switched on', (section) => {
    const lines = sampleConfig().split('\n');
    const start = lines.indexOf(`${section}:`);
    const node = tree.children.get(section);
    const keys = node?.rest ?? node;
    let head = -1;
    let tried = 0;
    for (let at = start + 1; lines[at] !== undefined && lines[at] !== ''; at += 1) {
      const [, indent = '', name = '', value = ''] = /^( +)# ([a-z_]+):(.*)$/.exec(lines[at] ?? '') ?? [];
      const nested = indent.length === (section === 'matrix_rooms' ? 6 : 4) && head >= 0;
      const parent = nested ? keys?.children.get(/# ([a-z_]+):/.exec(lines[head] ?? '')?.[1] ?? '') : keys;
      const child = parent?.children.get(name);
      if (child === undefined || / [a-z]+ /.test(value)) continue;
      if (child.kind === 'section') {
        head = at;
        continue;
      }
      if (!nested) head = -1;
      const open = (text: string, index: number): string =>
        index === at || (nested && index === head) ? text.replace('# ', '') : text;
      const problems = parse(lines.map(open).join('\n')).problems.filter(({ path }) => !FILES.test(path));
      expect(
        problems.map(({ path }) => path),
        name,
      ).toEqual(['meshtastic.meshnet_name', 'matrix_rooms[0].id']);
      tried += 1;
    }
    expect(tried).toBeGreaterThan(0);
  });

  test('every key has a documentation, every variable stands once', () => {
    const names: string[] = [];
    const visit = (node: KeyNode, path: string): void => {
      if (path !== '') expect(node.meta.doc, path).toMatch(/\w/);
      if (node.meta.env !== undefined) names.push(node.meta.env);
      for (const [name, child] of node.children) visit(child, `${path}.${name}`);
    };
    visit(keyTree(rootSchema({ radios: 'single', rooms: 'list' })), '');
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(20);
  });

  test('the JSON Schema knows both forms and hides our own metadata', () => {
    const text = JSON.stringify(jsonSchema());
    expect(jsonSchema()).toMatchObject({
      type: 'object',
      properties: { meshtastic: { anyOf: [{}, {}] }, matrix_rooms: { anyOf: [{}, {}] } },
    });
    expect(text).not.toMatch(/"tolerant"|"placeholder"|"doc"/);
    expect(text).toContain('"description":"tcp: address of the radio."');
  });
});
