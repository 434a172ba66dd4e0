import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { ChaosHomeserver } from './chaos-homeserver.ts';
import { seededRandom } from './random.ts';
import { buildStage } from './stage.ts';
import { blowStorm, type StormOptions, type StormReport } from './storm.ts';

const CACHE = fileURLToPath(new URL('../../../.cache/', import.meta.url));

/** Blows one storm and holds the promise against it. When it breaks, the relay's log is kept under .cache/. */
export async function runStorm(
  homeserver: ChaosHomeserver,
  options: Omit<StormOptions, 'random'> & {
    readonly factor: number;
    readonly originMs: number;
    readonly seed: number;
  },
): Promise<StormReport> {
  const { seed, factor, originMs, atLeast } = options;
  const random = seededRandom(seed);
  const stage = await buildStage({ homeserver, factor, originMs, random });
  try {
    const report = await blowStorm(stage, homeserver, { ...options, random });
    console.info(`chaos, seed ${seed}: ${JSON.stringify(report)}`);
    expect(report).toMatchObject({
      toMatrix: { lost: [], duplicated: [], reordered: [] },
      toMesh: { lost: [], duplicated: [], reordered: [] },
      evicted: 0,
      rateLimited: 0,
    });
    expect(Math.min(report.toMatrix.said, report.toMesh.said)).toBeGreaterThan(atLeast);
    expect(await stage.relay.stop()).toBe(0);
    return report;
  } catch (error) {
    mkdirSync(CACHE, { recursive: true });
    const kept = join(CACHE, `chaos-${seed}.log`);
    copyFileSync(stage.relay.logPath, kept);
    console.error(`The storm broke the promise: repeat it with MMRELAY_CHAOS_SEED=${seed}; log of the relay: ${kept}`);
    throw error;
  } finally {
    await stage.close();
  }
}
