import packageJson from '../../package.json' with { type: 'json' };

/** Of package.json, the one place that names it. */
export const VERSION: string = packageJson.version;
