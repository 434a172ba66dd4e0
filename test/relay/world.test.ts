import { describe, expect, it } from 'vitest';
import type { NameStore, NodeName } from '../../src/relay/store-port.ts';
import { describeNode } from '../../src/relay/world.ts';
import { open } from '../store/fixtures.ts';

function named(nodes: Readonly<Record<number, Partial<NodeName>>>): NameStore {
  const { names } = open({ path: ':memory:' });
  for (const [num, name] of Object.entries(nodes))
    names.put(Number(num), { longName: null, shortName: null, lastSeenMs: 0, ...name });
  return names;
}

describe('names of nodes', () => {
  it('a stranger is its id, in hex', () => {
    expect(describeNode(0xdeadbeef, named({}))).toEqual({ long: '!deadbeef', short: 'beef' });
  });

  it('two nodes with one name can be told apart (impersonation), until one is renamed', () => {
    const names = named({ 286326785: { longName: 'Alice' }, 572653570: { longName: 'Alice' } });
    expect(describeNode(0x11110001, names).long).toBe('Alice (0001)');
    expect(describeNode(0x22220002, names).long).toBe('Alice (0002)');

    names.put(0x22220002, { longName: 'Bob', shortName: null, lastSeenMs: 1 });
    expect(describeNode(0x11110001, names).long).toBe('Alice');
  });

  it('a node that told only one name is called by it', () => {
    expect(describeNode(1, named({ 1: { shortName: 'ONE' } }))).toEqual({ long: 'ONE', short: 'ONE' });
    expect(describeNode(1, named({ 1: { longName: 'Only Long' } }))).toEqual({ long: 'Only Long', short: '0001' });
  });
});
