import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The storm and what takes a minute or more on a quiet machine, the longest first. */
const LONG = ['chaos', 'daemon-bulk', 'crypto-store', 'e2ee-kills', 'daemon', 'ble', 'python-relay'];

/** Starts the long files first: with two workers one of them is busy with the storm while the other does the rest. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return place < 0 ? LONG.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
