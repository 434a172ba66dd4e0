/** Cuts shapes to the picture, so that a coast of a continent costs no more than the part one sees. Pixels. */

export type Point = readonly [number, number];

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

type Side = readonly [inside: (point: Point) => boolean, cross: (a: Point, b: Point) => Point];

function sidesOf(box: Box): readonly Side[] {
  const atX =
    (x: number) =>
    (a: Point, b: Point): Point => [x, a[1] + ((b[1] - a[1]) * (x - a[0])) / (b[0] - a[0])];
  const atY =
    (y: number) =>
    (a: Point, b: Point): Point => [a[0] + ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]), y];
  return [
    [([x]) => x >= box.left, atX(box.left)],
    [([x]) => x <= box.right, atX(box.right)],
    [([, y]) => y >= box.top, atY(box.top)],
    [([, y]) => y <= box.bottom, atY(box.bottom)],
  ];
}

/** Sutherland-Hodgman; empty when nothing of the ring is inside. */
export function clipRing(ring: readonly Point[], box: Box): readonly Point[] {
  let points = ring;
  for (const [inside, cross] of sidesOf(box)) {
    const kept: Point[] = [];
    for (const [index, point] of points.entries()) {
      const before = points.at(index - 1) ?? point;
      if (inside(point) !== inside(before)) kept.push(cross(before, point));
      if (inside(point)) kept.push(point);
    }
    points = kept;
    if (points.length === 0) return points;
  }
  return points;
}

/** The stretches of a line that come near the box. */
export function clipLine(line: readonly Point[], box: Box): readonly (readonly Point[])[] {
  const pieces: Point[][] = [];
  let current: Point[] = [];
  for (const [index, point] of line.entries()) {
    const before = line[index - 1];
    if (before === undefined) continue;
    if (misses(before, point, box)) {
      if (current.length > 1) pieces.push(current);
      current = [];
    } else {
      if (current.length === 0) current.push(before);
      current.push(point);
    }
  }
  if (current.length > 1) pieces.push(current);
  return pieces;
}

function misses([ax, ay]: Point, [bx, by]: Point, box: Box): boolean {
  return (
    Math.max(ax, bx) < box.left ||
    Math.min(ax, bx) > box.right ||
    Math.max(ay, by) < box.top ||
    Math.min(ay, by) > box.bottom
  );
}
