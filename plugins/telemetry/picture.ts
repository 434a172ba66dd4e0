/** A chart as a picture. */

import type { Image } from '../../src/plugins/api.ts';
import { loadFont, rasterise } from '../shared/raster.ts';
import { CHART_HEIGHT, CHART_WIDTH, type ChartOptions, drawChart } from './chart.ts';

/** @throws Error when drawing fails */
export async function chartPicture(options: Omit<ChartOptions, 'font'>): Promise<Image> {
  const data = await rasterise(drawChart({ ...options, font: await loadFont() }));
  return { data, mimeType: 'image/png', fileName: 'graph.png', width: CHART_WIDTH, height: CHART_HEIGHT };
}
