/** The picture: background, circles of what is known, dots, names, scale and credits. */

import type { Font } from '../shared/font.ts';
import { FONT_FAMILY } from '../shared/raster.ts';
import { element, textAt } from '../shared/svg.ts';
import { type Label, type LabelWish, placeLabels } from './labels.ts';
import type { MapNode } from './map-node.ts';
import { latitudeOf, metresPerWorld, pixelOf, type View, worldPixels } from './view.ts';

export interface MapPicture {
  readonly view: View;
  /** Those named first win where there is no room for all names. */
  readonly nodes: readonly MapNode[];
  /** SVG of the background. */
  readonly background: string;
  readonly credit: string;
  /** As `5 nodes, 21 Nov 2026 12:00`. */
  readonly title: string;
  readonly font: Font;
}

const FRESH = '#d22';
const STALE = '#777';
const BOX_PADDING_PX = 4;
const STRIP_PX = 18;
const STRIP_FONT_PX = 11;

/** The whole picture as one SVG document. */
export function drawMap(picture: MapPicture): string {
  const { view, nodes, font } = picture;
  const spots = nodes.map((node) => ({ node, ...pixelOf(view, node) }));
  const visible = spots.filter(({ x, y }) => x >= 0 && x <= view.width && y >= 0 && y <= view.height - STRIP_PX);
  const fontPx = visible.length > 60 ? 11 : 14;
  const wishes: LabelWish[] = visible.map(({ node, x, y }) => {
    const text = labelText(node, font);
    return {
      text,
      x,
      y,
      width: font.width(text, fontPx) + 2 * BOX_PADDING_PX,
      height: fontPx + 2 * BOX_PADDING_PX - 1,
    };
  });
  const labels = placeLabels(wishes, {
    width: view.width,
    height: view.height - STRIP_PX,
    dotPx: 5,
    taken: [{ left: 0, top: view.height - STRIP_PX - 34, right: 190, bottom: view.height }],
  });
  const unnamed = visible.length - labels.length;
  const outside = nodes.length - visible.length;
  const title = [
    picture.title,
    ...(unnamed > 0 ? [`${unnamed} without room for a name`] : []),
    ...(outside > 0 ? [`${outside} outside the picture`] : []),
  ].join(' · ');
  const dots = visible.map(({ node, x, y }) =>
    element('circle', { cx: x, cy: y, r: 4.5, fill: node.fresh ? FRESH : STALE, stroke: '#fff', 'stroke-width': 1.5 }),
  );
  const body = [
    picture.background,
    circles(view, spots),
    ...labels.map(leader),
    ...dots,
    ...labels.map((label) => box(label, fontPx)),
    scaleBar(view),
    strip(picture, title),
  ];
  const { width, height } = view;
  const attributes = { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}` };
  return element('svg', { ...attributes, 'font-family': FONT_FAMILY }, body.join(''));
}

/** The short name, or the end of the node id where the font lacks a character of it (emoji): better than an empty box. */
export function labelText(node: { readonly id: string; readonly shortName: string }, font: Font): string {
  const name = node.shortName.replace(/[\ufe0e\ufe0f]/g, '').trim();
  const drawable = name !== '' && [...name].every((char) => font.has(char.codePointAt(0) ?? 0));
  return drawable ? name : node.id.slice(-4);
}

/** One layer with one transparency: where circles of many nodes overlap, the map stays visible. */
function circles(
  view: View,
  spots: readonly { readonly node: MapNode; readonly x: number; readonly y: number }[],
): string {
  const shapes = spots
    .map(({ node, x, y }) => ({ cx: x, cy: y, r: (node.radiusM / metresPerWorld(node.latitude)) * worldPixels(view) }))
    .filter(({ r }) => r > 5);
  if (shapes.length === 0) return '';
  const fill = shapes.map((shape) => element('circle', shape)).join('');
  const outline = shapes.map((shape) => element('circle', { ...shape, fill: 'none', stroke: '#000' })).join('');
  return element('g', { opacity: 0.12 }, fill) + element('g', { opacity: 0.25 }, outline);
}

function leader(label: Label): string {
  const x = Math.min(Math.max(label.x, label.left), label.left + label.width);
  const y = Math.min(Math.max(label.y, label.top), label.top + label.height);
  return element('line', { x1: label.x, y1: label.y, x2: x, y2: y, stroke: FRESH, 'stroke-width': 1 });
}

function box(label: Label, fontPx: number): string {
  const { left, top, width, height } = label;
  const frame = { x: left, y: top, width, height, rx: 3, fill: '#fff', stroke: FRESH, 'stroke-width': 1 };
  const text = textAt(left + BOX_PADDING_PX, top + height / 2 + fontPx * 0.36, label.text, { 'font-size': fontPx });
  return element('rect', frame) + text;
}

/** A bar of a round length. */
function scaleBar(view: View): string {
  const scale = worldPixels(view);
  const latitude = latitudeOf(Math.min(Math.max(view.top + view.height / scale / 2, 0), 1));
  const metresPerPx = metresPerWorld(latitude) / scale;
  const metres = roundDown(150 * metresPerPx);
  const length = metres / metresPerPx;
  const y = view.height - STRIP_PX - 10;
  const bar = element('path', {
    d: `M10 ${y - 5}V${y}H${Math.round(length) + 10}V${y - 5}`,
    fill: 'none',
    stroke: '#222',
    'stroke-width': 1.5,
  });
  const halo = { stroke: '#fff', 'stroke-width': 3, 'paint-order': 'stroke', 'font-size': 12 };
  return bar + textAt(14, y - 5, distanceText(metres), halo);
}

/** 1, 2 or 5 times a power of ten, at most `value`. */
function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const digit = value / power;
  return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
}

function distanceText(metres: number): string {
  return metres >= 1000 ? `${metres / 1000} km` : `${metres} m`;
}

function strip(picture: MapPicture, title: string): string {
  const { view, font, credit } = picture;
  const y = view.height - 5;
  const creditWidth = font.width(credit, STRIP_FONT_PX);
  const titleFits = font.width(title, STRIP_FONT_PX) + creditWidth + 24 < view.width;
  const size = Math.min(STRIP_FONT_PX, (STRIP_FONT_PX * (view.width - 12)) / creditWidth);
  return [
    element('rect', {
      y: view.height - STRIP_PX,
      width: view.width,
      height: STRIP_PX,
      fill: '#fff',
      'fill-opacity': 0.85,
    }),
    titleFits ? textAt(6, y, title, { 'font-size': STRIP_FONT_PX }) : '',
    textAt(view.width - 6, y, credit, { 'font-size': size, 'text-anchor': 'end', fill: '#444' }),
  ].join('');
}

/** What a screen reader says, and the short side of the same. */
export function describeMap(nodes: readonly MapNode[], outside: number): string {
  const count = `${nodes.length} node${nodes.length === 1 ? '' : 's'}`;
  const names = nodes.slice(0, 20).map(({ shortName }) => shortName);
  const rest = nodes.length > names.length ? ` and ${nodes.length - names.length} more` : '';
  return `Map of ${count}: ${names.join(', ')}${rest}.${outside > 0 ? ` ${outside} outside the picture.` : ''}`;
}
