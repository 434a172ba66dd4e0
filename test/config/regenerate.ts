// Writes what is made from the configuration schema: `node test/config/regenerate.ts`.
import { writeFileSync } from 'node:fs';
import { configurationPage } from '../../src/config/docs-page.ts';
import { sampleConfig } from '../../src/config/sample.ts';

writeFileSync(new URL('../../sample_config.yaml', import.meta.url), sampleConfig());
// Where guides of the Python relay download it from.
writeFileSync(new URL('../../src/mmrelay/tools/sample_config.yaml', import.meta.url), sampleConfig());
writeFileSync(new URL('../../docs/CONFIGURATION.md', import.meta.url), configurationPage());
