import { describe, expect, it } from 'vitest';
import { describeNode } from '../../src/relay/world.ts';

const seen = { lastSeenMs: 0 };

describe('names of nodes', () => {
  it('a stranger is its id, in hex', () => {
    expect(describeNode(0xdeadbeef, new Map())).toEqual({ long: '!deadbeef', short: 'beef' });
  });

  it('two nodes with one name can be told apart (impersonation)', () => {
    const known = new Map([
      [0x11110001, { longName: 'Alice', shortName: 'ALI', ...seen }],
      [0x22220002, { longName: 'Alice', shortName: 'ALI', ...seen }],
    ]);

    expect(describeNode(0x11110001, known).long).toBe('Alice (0001)');
    expect(describeNode(0x22220002, known).long).toBe('Alice (0002)');
  });

  it('a node that told only one name is called by it', () => {
    expect(describeNode(1, new Map([[1, { longName: null, shortName: 'ONE', ...seen }]]))).toEqual({
      long: 'ONE',
      short: 'ONE',
    });
    expect(describeNode(1, new Map([[1, { longName: 'Only Long', shortName: null, ...seen }]]))).toEqual({
      long: 'Only Long',
      short: '0001',
    });
  });
});
