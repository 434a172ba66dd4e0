import { describe, expect, it } from 'vitest';
import { PRIORITY } from '../../../src/relay/delivery.ts';
import { AirBudget, type AirFacts } from '../../../src/relay/lanes/air-budget.ts';
import { MODEM_PRESETS } from '../../../src/util/airtime.ts';

const HOUR_MS = 3_600_000;
const EU: AirFacts = { modem: MODEM_PRESETS.LONG_FAST, dutyPercent: 10, channelUtilization: null, airUtilTx: null };
const chat = { airMs: 2_000, priority: PRIORITY.chat };

describe('the duty cycle of a region (W44)', () => {
  it('lets an hour hold its tenth, less a margin, and then waits for the oldest transmission to age', () => {
    const budget = new AirBudget();
    let sent = 0;
    for (let atMs = 0; budget.waitMs(atMs, chat, EU) === 0; atMs += 2_000) {
      budget.note(atMs, chat.airMs);
      sent += 1;
    }

    expect(sent).toBe(Math.floor((HOUR_MS * 0.1 * 0.95) / 2_000));
    expect(budget.waitMs(sent * 2_000, chat, EU)).toBe(HOUR_MS - sent * 2_000);
    expect(budget.waitMs(HOUR_MS, chat, EU)).toBe(0);
  });

  it('believes the radio when it says it transmitted more', () => {
    expect(new AirBudget().waitMs(0, chat, { ...EU, airUtilTx: 9.6 })).toBeGreaterThan(0);
  });

  it('tells what is used and what is left, by the radio itself where it transmitted more', () => {
    const budget = new AirBudget();
    budget.note(0, 60_000);

    expect(budget.use(1_000, EU)).toEqual({ usedMs: 60_000, leftMs: 342_000 - 60_000 });
    expect(budget.use(1_000, { ...EU, airUtilTx: 5 }).leftMs).toBe(342_000 - 180_000);
    expect(budget.use(1_000, { ...EU, airUtilTx: 99 }).leftMs).toBe(0);
    expect(budget.use(HOUR_MS, EU)).toEqual({ usedMs: 0, leftMs: 342_000 });
    expect(budget.use(1_000, { ...EU, dutyPercent: 100 }).leftMs).toBeNull();
  });

  it('does not limit where there is no limit', () => {
    const budget = new AirBudget();
    budget.note(0, HOUR_MS);

    expect(budget.waitMs(1, chat, { ...EU, dutyPercent: 100 })).toBe(0);
  });
});

describe('a busy channel', () => {
  it.each([
    [30, PRIORITY.chat, false],
    [30, PRIORITY.plugin, false],
    [30, PRIORITY.bulk, true],
    [45, PRIORITY.plugin, true],
    [45, PRIORITY.direct, false],
  ])('at %i %% and priority %i waits: %s', (channelUtilization, priority, waits) => {
    const facts = { ...EU, dutyPercent: 100, channelUtilization };

    expect(new AirBudget().waitMs(0, { airMs: 1_000, priority }, facts) > 0).toBe(waits);
  });
});
