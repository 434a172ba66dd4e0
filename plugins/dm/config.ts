export const configSchema = {
  admin_only: { type: 'boolean', default: false, description: 'Only for matrix.admins' },
} as const;
