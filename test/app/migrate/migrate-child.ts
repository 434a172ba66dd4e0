import { runMigration } from '../../../src/app/migrate/run-migration.ts';
import { systemClock } from '../../../src/util/clock.ts';

// argv: home, the step before which this process kills itself.
const [home = '', last = ''] = process.argv.slice(2);
let count = 0;
runMigration({
  home,
  from: [],
  clock: systemClock,
  dryRun: false,
  force: false,
  onStep: () => {
    if (count === Number(last)) process.kill(process.pid, 'SIGKILL');
    count += 1;
  },
});
