/**
 * Lets one piece of work run at a time: a picture takes some 100 MB while it is drawn, and ten people may ask at once.
 * One per plugin. Holds the last in the line.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when all earlier work is over, however that ended. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine;
    return mine;
  }
}
