import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { dropLateAnswers } from '../../../src/radio/ble/noble-adapter.ts';

describe('answers of a peripheral', () => {
  it('are dropped once noble has forgotten it, and nothing else is', () => {
    const _bindings = new EventEmitter();
    const inside: { _bindings: EventEmitter; _characteristics: Record<string, unknown> } = {
      _bindings,
      _characteristics: { f0f1: {} },
    };
    const seen: string[] = [];
    for (const event of ['write', 'read', 'disconnect', 'stateChange'])
      _bindings.on(event, (value: string) => {
        // As noble does with what it looks up.
        if ((event === 'write' || event === 'read') && inside._characteristics[value] === undefined)
          throw new TypeError('Cannot read properties of undefined');
        seen.push(`${event} ${value}`);
      });
    dropLateAnswers(inside);
    _bindings.emit('write', 'f0f1');
    inside._characteristics = {};
    _bindings.emit('write', 'f0f1', 'service', 'toradio', new Error('NoReply'));
    _bindings.emit('read', 'f0f1');
    _bindings.emit('disconnect', 'f0f1');
    _bindings.emit('stateChange', 'poweredOff');
    expect(seen).toEqual(['write f0f1', 'disconnect f0f1', 'stateChange poweredOff']);
  });
});
