/** Puts names beside dots so that no two cover each other. Pixels. */

export interface LabelWish {
  readonly text: string;
  /** Of the dot. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Label extends LabelWish {
  /** Top left corner of the box. */
  readonly left: number;
  readonly top: number;
}

interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface PlaceOptions {
  readonly width: number;
  readonly height: number;
  /** Radius of a dot; labels keep off all dots. */
  readonly dotPx: number;
  /** Places that are taken already: caption, scale. */
  readonly taken: readonly Rectangle[];
}

/** Directions tried in turn: above, below, right, left, then the corners. */
const DIRECTIONS = [
  [0, -1],
  [0, 1],
  [1, 0],
  [-1, 0],
  [1, -1],
  [-1, -1],
  [1, 1],
  [-1, 1],
] as const;
/** Distances of the box from its dot. */
const RINGS_PX = [7, 18, 34, 54] as const;

/** First come, first served; a wish for which there is no room is left out. */
export function placeLabels(wishes: readonly LabelWish[], options: PlaceOptions): Label[] {
  const { dotPx } = options;
  const dots = wishes.map(({ x, y }) => ({ left: x - dotPx, top: y - dotPx, right: x + dotPx, bottom: y + dotPx }));
  const taken: Rectangle[] = [...options.taken];
  const placed: Label[] = [];
  for (const wish of wishes) {
    const free = candidates(wish).find((box) => {
      const fits = box.left >= 2 && box.top >= 2 && box.right <= options.width - 2 && box.bottom <= options.height - 2;
      return fits && !taken.some((other) => overlap(box, other)) && !dots.some((dot) => overlap(box, dot));
    });
    if (free === undefined) continue;
    taken.push(free);
    placed.push({ ...wish, left: free.left, top: free.top });
  }
  return placed;
}

function candidates(wish: LabelWish): Rectangle[] {
  return RINGS_PX.flatMap((distance) =>
    DIRECTIONS.map(([dx, dy]) => {
      const slant = dx !== 0 && dy !== 0 ? Math.SQRT1_2 : 1;
      const left = wish.x - wish.width / 2 + dx * (wish.width / 2 + distance * slant);
      const top = wish.y - wish.height / 2 + dy * (wish.height / 2 + distance * slant);
      return { left, top, right: left + wish.width, bottom: top + wish.height };
    }),
  );
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  const gap = 1;
  return a.left < b.right + gap && b.left < a.right + gap && a.top < b.bottom + gap && b.top < a.bottom + gap;
}
