import { describe, expect, it } from 'vitest';
import { document, type Loose, text } from './support/tree.ts';

const folder = 'deploy/observability';
const listed = new Set([...text(`${folder}/README.md`).matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1]));
const rules: readonly Loose[] = document(`${folder}/alerts.yaml`).groups.flatMap((group: Loose) => group.rules);
const dashboard = JSON.parse(text(`${folder}/grafana-dashboard.json`));
const targets: readonly Loose[] = dashboard.panels.flatMap((panel: Loose) => panel.targets);

/** Metric names of an expression; a histogram counts by its base name. */
const metrics = (expression: string): readonly string[] =>
  [...expression.matchAll(/\b(mmrelay_[a-z_]+|process_[a-z_]+)\b/g)].map(([, name = '']) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  );

const balanced = (expression: string): boolean => {
  const opened = expression.replace(/"[^"]*"/g, '').match(/[({[]/g)?.length;
  return opened === expression.replace(/"[^"]*"/g, '').match(/[)}\]]/g)?.length;
};

describe('alert rules and dashboard', () => {
  it.each(
    rules.map((rule) => [rule.alert as string, rule] as const),
  )('%s is complete and asks for listed metrics', (_, rule) => {
    expect(rule.labels.severity).toMatch(/^(warning|critical)$/);
    expect(rule.annotations.summary).not.toBe('');
    expect(rule.annotations.description).not.toBe('');
    expect(balanced(rule.expr)).toBe(true);
    for (const name of metrics(rule.expr)) expect(listed, name).toContain(name);
  });

  it('warns of a lost link, an old queue and unreadable messages', () => {
    const names = rules.map((rule) => rule.alert);
    expect(names).toEqual(
      expect.arrayContaining(['MmrelayRadioLinkDown', 'MmrelayQueueOld', 'MmrelayDecryptFailures']),
    );
  });

  it('draws listed metrics only', () => {
    const drawn = targets.flatMap((target) => metrics(target.expr));
    expect(drawn.length).toBeGreaterThan(15);
    for (const name of drawn) expect(listed, name).toContain(name);
    for (const target of targets) expect(balanced(target.expr), target.expr).toBe(true);
  });

  it('has panels that do not overlap', () => {
    const taken = new Set<string>();
    for (const { gridPos: g } of dashboard.panels) {
      for (let x = g.x; x < g.x + g.w; x += 1) {
        for (let y = g.y; y < g.y + g.h; y += 1) {
          expect(taken, `${x},${y}`).not.toContain(`${x},${y}`);
          taken.add(`${x},${y}`);
        }
      }
      expect(g.x + g.w).toBeLessThanOrEqual(24);
    }
  });
});
