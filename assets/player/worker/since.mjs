// Since which record each GPU has had its present job without a break.

/** Follows a run forwards record by record; after a jump it looks back as far as rounds are at hand. */
export class SinceTracker {
  constructor(nGpus) {
    this.since = new Int32Array(nGpus);
    /** 1 where the job may have been there before `since`: the search ended at rounds that are not loaded. */
    this.isBound = new Uint8Array(nGpus);
    this.index = -1;
  }

  /** Go to record `index`. `idsOf(i)` gives the stored ids of a record, or null where it is not at hand. */
  go(index, idsOf) {
    if (index === this.index && !this.isBound.includes(1)) return this;
    const steps = index - this.index;
    if (this.index < 0 || steps < 0 || steps > 256 || !this.#advance(index, idsOf)) this.#lookBack(index, idsOf);
    this.index = index;
    return this;
  }

  #advance(index, idsOf) {
    const rounds = [];
    for (let i = this.index; i <= index; i += 1) rounds.push(idsOf(i));
    if (rounds.includes(null)) return false;
    for (let k = 1; k < rounds.length; k += 1) {
      const [before, now] = [rounds[k - 1], rounds[k]];
      for (let gpu = 0; gpu < now.length; gpu += 1) {
        if (now[gpu] !== before[gpu]) {
          this.since[gpu] = this.index + k;
          this.isBound[gpu] = 0;
        }
      }
    }
    // What was only known as a bound may be known better by now.
    if (rounds.length === 1 && this.isBound.includes(1)) return false;
    return true;
  }

  #lookBack(index, idsOf) {
    const now = idsOf(index);
    let open = Int32Array.from(now.keys());
    let i = index;
    while (open.length > 0 && i > 0) {
      const before = idsOf(i - 1);
      if (before === null) break;
      const still = open.filter((gpu) => before[gpu] === now[gpu]);
      if (still.length < open.length) {
        for (const gpu of open) {
          if (before[gpu] !== now[gpu]) {
            this.since[gpu] = i;
            this.isBound[gpu] = 0;
          }
        }
        open = still;
      }
      i -= 1;
    }
    for (const gpu of open) {
      this.since[gpu] = i;
      this.isBound[gpu] = i > 0 ? 1 : 0;
    }
  }
}
