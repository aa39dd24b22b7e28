// Time while playing: which position is due now. Drawings may be skipped, time never is.

/** Rounds per second at speed 1. */
const ROUNDS_PER_SECOND = 5;
export const SPEEDS = [0.25, 0.5, 1, 2, 5, 10, 20, 50, 100];

/** Position due `elapsedMs` after play began at `from`, and whether the end was reached.
 * loop: [first, last] or null; inside a loop the end leads to its beginning. */
export function duePosition({ from, elapsedMs, speed, last, loop }) {
  const due = from + Math.floor((elapsedMs * ROUNDS_PER_SECOND * speed) / 1000); // divided last: 1.88 * 25 is just below 47
  if (loop !== null && from <= loop[1]) {
    const length = loop[1] - loop[0] + 1;
    return { position: due <= loop[1] ? due : loop[0] + ((due - loop[0]) % length), ended: false };
  }
  return { position: Math.min(due, last), ended: due >= last };
}

/** Chunks to read ahead of chunk `k` in the direction of play: what two seconds of play will need, at most `most`. */
export function chunksAhead({ k, chunkRounds, nChunks, speed, most = 24, loopChunks = null }) {
  const wanted = Math.min(most, Math.max(1, Math.ceil((2 * ROUNDS_PER_SECOND * speed) / chunkRounds)));
  const ahead = [];
  let next = k;
  for (let i = 0; i < wanted; i += 1) {
    next += 1;
    if (loopChunks !== null && k <= loopChunks[1] && next > loopChunks[1]) next = loopChunks[0];
    if (next >= nChunks || next === k || ahead.includes(next)) break;
    ahead.push(next);
  }
  return ahead;
}
