/** Lines of latitude and longitude with their degrees: on a coarse map they say where one is. */

import { element, textAt } from '../shared/svg.ts';
import { latitudeOf, type View, worldPixels, worldX, worldY } from './view.ts';

const LINE = '#9aa7ad';
const STEPS_DEG = [
  45, 30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001,
];
const WANTED_PX = 220;
const LABEL = { 'font-size': 11, fill: '#66757c', stroke: '#fff', 'stroke-width': 2.5, 'paint-order': 'stroke' };

export function drawGraticule(view: View): string {
  const scale = worldPixels(view);
  const wantedDeg = (WANTED_PX / scale) * 360;
  const step = STEPS_DEG.find((one) => one <= wantedDeg) ?? 0.0001;
  const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const west = (view.left - 0.5) * 360;
  const east = west + (view.width / scale) * 360;
  const north = latitudeOf(Math.max(view.top, 0));
  const south = latitudeOf(Math.min(view.top + view.height / scale, 1));
  const parts: string[] = [];
  const line = (d: string): string =>
    element('path', { d, stroke: LINE, 'stroke-width': 0.7, 'stroke-dasharray': '3 4', fill: 'none' });
  for (const longitude of multiples(west, east, step)) {
    const x = Math.round((worldX(longitude) - view.left) * scale) + 0.5;
    parts.push(line(`M${x} 0V${view.height}`));
    if (x > 60 && x < view.width - 40)
      parts.push(textAt(x + 3, 12, degrees(wrap(longitude), decimals, 'E', 'W'), LABEL));
  }
  for (const latitude of multiples(south, north, step)) {
    const y = Math.round((worldY(latitude) - view.top) * scale) + 0.5;
    parts.push(line(`M0 ${y}H${view.width}`));
    if (y > 20 && y < view.height - 60) parts.push(textAt(4, y - 3, degrees(latitude, decimals, 'N', 'S'), LABEL));
  }
  return parts.join('');
}

function multiples(from: number, to: number, step: number): number[] {
  const first = Math.ceil(from / step);
  const count = Math.max(0, Math.floor(to / step) - first + 1);
  return Array.from({ length: count }, (_, index) => (first + index) * step);
}

function wrap(longitude: number): number {
  return longitude - 360 * Math.round(longitude / 360);
}

function degrees(value: number, decimals: number, positive: string, negative: string): string {
  const text = Math.abs(value).toFixed(decimals);
  const half = Number(text) === 0 || Number(text) === 180;
  return `${text}°${half ? '' : value > 0 ? positive : negative}`;
}
