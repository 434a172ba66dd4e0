import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { precisionRadiusM } from '../../../plugins/map/map-node.ts';
import { describeNearby } from '../../../plugins/map/nearby.ts';
import { parseMapOptions } from '../../../plugins/map/options.ts';
import { type FitOptions, fitView, metresPerWorld, pixelOf, worldPixels } from '../../../plugins/map/view.ts';

const options: FitOptions = { width: 800, height: 600, margin: 60, maxZoom: 15, whole: false, exactZoom: null };
const spot = (latitude: number, longitude: number, radiusM = 0) => ({ latitude, longitude, radiusM });

describe('the view', () => {
  it.each([false, true])('has all nodes in it, wherever they are (whole zooms: %s)', (whole) => {
    const latitude = fc.double({ min: -75, max: 75, noNaN: true });
    const longitude = fc.double({ min: -180, max: 180, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(latitude, longitude), { minLength: 1, maxLength: 30 }), (places) => {
        const spots = places.map(([lat, lon]) => spot(lat, lon));
        const view = fitView(spots, { ...options, width: 1000, height: 1000, whole });
        for (const { x, y } of spots.map((one) => pixelOf(view, one))) {
          expect(Math.min(x, y)).toBeGreaterThanOrEqual(-0.001);
          expect(Math.max(x, y)).toBeLessThanOrEqual(1000.001);
        }
      }),
    );
  });

  it('is near for neighbours on either side of the date line', () => {
    const view = fitView([spot(10, 179.9), spot(10, -179.9)], options);
    expect(view.zoom).toBeGreaterThan(10);
    expect(Math.abs(pixelOf(view, spot(10, 179.9)).x - pixelOf(view, spot(10, -179.9)).x)).toBeCloseTo(680, 0);
  });

  it('has room for the circle of a node whose position is vague', () => {
    const vague = spot(52, 13, 20_000);
    const view = fitView([vague], options);
    const radiusPx = (20_000 / metresPerWorld(52)) * worldPixels(view);
    expect(radiusPx * 2).toBeCloseTo(600 - 120, 0);
  });

  it('takes the zoom it is told, up to the last one of tile servers', () => {
    expect([7, 30].map((exactZoom) => fitView([spot(1, 1)], { ...options, exactZoom }).zoom)).toEqual([7, 19]);
    expect(fitView([spot(1, 1)], { ...options, maxZoom: 12 }).zoom).toBe(12);
  });

  it('knows the radius behind bits of precision', () => {
    expect([0, 32, 13, 16].map((bits) => Math.round(precisionRadiusM(bits)))).toEqual([0, 0, 2918, 365]);
  });
});

describe('what follows !map', () => {
  const defaults = { zoom: null, width: 1000, height: 700 };

  it.each([
    ['', { zoom: null, width: 1000, height: 700 }],
    ['zoom=8', { zoom: 8, width: 1000, height: 700 }],
    ['ZOOM=31', { zoom: null, width: 1000, height: 700 }],
    ['size=300,200', { zoom: null, width: 300, height: 200 }],
    ['size=0,5000 zoom=0', { zoom: 0, width: 1, height: 1000 }],
    ['zoom=3 size=400, 500', { zoom: 3, width: 400, height: 500 }],
    ['berlin', null],
    ['zoom=x', null],
    ['zoom=3 more', null],
  ])('%s', (text, expected) => {
    expect(parseMapOptions(text, defaults)).toEqual(expected);
  });
});

describe('the map in words', () => {
  it('names the nearest first, with direction, within a packet', () => {
    const here = { latitude: 52.52, longitude: 13.4 };
    const places = [
      { shortName: 'FARR', latitude: 48.1, longitude: 11.5 },
      { shortName: 'NEAR', latitude: 52.53, longitude: 13.41 },
    ];
    expect(describeNearby(here, places)).toBe('From you: NEAR 1.3 km NE, FARR 510 km S');
    const many = Array.from({ length: 90 }, (_, index) => ({
      shortName: `N${index}`,
      latitude: index / 10,
      longitude: 0,
    }));
    expect(Buffer.byteLength(describeNearby(here, many))).toBeLessThanOrEqual(200);
  });
});
