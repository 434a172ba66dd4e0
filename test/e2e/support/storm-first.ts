import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * With two workers the storm, as long as half of the rest, keeps one of them busy from the start. The bulk of a thousand
 * texts, which computes most, comes last: not beside the storm.
 */
export class StormFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      if (moduleId.endsWith('/chaos.test.ts')) return 0;
      return moduleId.endsWith('/daemon-bulk.test.ts') ? 2 : 1;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
