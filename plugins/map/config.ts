export const configSchema = {
  zoom: { type: 'integer', min: 0, max: 30, description: 'Closest zoom of a map that fits all nodes' },
  image_width: { type: 'integer', default: 1000, description: 'Width of the picture in pixels, 1 to 1000' },
  image_height: { type: 'integer', default: 1000, description: 'Height of the picture in pixels, 1 to 1000' },
  tile_url: {
    type: 'string',
    default: 'https://tile.openstreetmap.org/{z}/{x}/{y}.png',
    description: 'Tile server; empty: only the built-in map, nothing is fetched',
  },
  tile_attribution: { type: 'string', default: '© OpenStreetMap contributors', description: 'Whom to credit' },
  tile_user_agent: {
    type: 'string',
    description: 'User-Agent for the tile server; default: name and version of the relay',
  },
  tile_cache_mb: { type: 'integer', default: 50, min: 0, max: 2000, description: 'Disk space for tiles' },
} as const;
