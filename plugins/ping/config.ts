export const configSchema = {
  mimic_mode: { type: 'boolean', default: false, description: 'Also answer a bare ping, in its letter case' },
  display_hops: { type: 'boolean', default: false, description: 'Say how many hops the ping took' },
} as const;
