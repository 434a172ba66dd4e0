export const configSchema = {
  units: { type: 'string', choices: ['metric', 'imperial'], description: 'Default: those of the relay' },
  command_aliases: { type: 'map', default: {}, description: 'Other names: { wetter: weather }' },
  marine: { type: 'boolean', default: true, description: 'Also ask for waves (the position goes to one more service)' },
  forecast_url: { type: 'string', default: 'https://api.open-meteo.com/v1/forecast', description: 'Forecast service' },
  geocoding_url: {
    type: 'string',
    default: 'https://geocoding-api.open-meteo.com/v1/search',
    description: 'Service that finds places by name',
  },
  marine_url: { type: 'string', default: 'https://marine-api.open-meteo.com/v1/marine', description: 'Wave service' },
} as const;
