export const configSchema = {
  radius_km: { type: 'number', default: 5, min: 0, max: 20_000, description: 'How near a node must come' },
  keep_days: { type: 'number', default: 30, min: 0, description: 'Forgotten after this time; 0: never' },
  per_node: { type: 'integer', default: 10, min: 1, max: 100, description: 'Texts one node may have waiting' },
} as const;
