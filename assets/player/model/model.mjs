// The state of the page in one place. Whoever shows a part of it listens; nobody keeps a copy.

/** Observable plain values. `set` tells each listener once, with the names of what really changed. */
export class Model {
  #values;
  #listeners = [];

  constructor(values) {
    this.#values = { ...values };
  }

  get(name) {
    return this.#values[name];
  }

  /** All values, for reading. */
  all() {
    return { ...this.#values };
  }

  set(changes) {
    const changed = Object.keys(changes).filter((name) => !Object.is(this.#values[name], changes[name]));
    if (changed.length === 0) return;
    Object.assign(this.#values, changes);
    for (const { names, listener } of [...this.#listeners]) {
      if (names.some((name) => changed.includes(name))) listener(changed);
    }
  }

  /** Call `listener(changed)` when one of `names` changes; returns how to stop. */
  on(names, listener) {
    const entry = { names, listener };
    this.#listeners.push(entry);
    return () => { this.#listeners = this.#listeners.filter((other) => other !== entry); };
  }
}
