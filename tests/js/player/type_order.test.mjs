// The order of GPU types on rounds made by hand; on real files against Python: ../test_player.py.
import assert from "node:assert/strict";
import test from "node:test";

import { decideTypeOrder, evenlySpaced } from "../../../assets/player/decoder/type_order.mjs";

test("the order that agrees with the GPUs in use is taken, the config's where none does", () => {
  const types = [{ name: "v100", count: 2 }, { name: "k80", count: 2 }];
  const right = decideTypeOrder(types, [[1, 0], [0, 2], [2, 2]], [[0, 0, 7, 0], [7, 7, 0, 0], [1, 1, 1, 1]]);
  assert.deepEqual(right, { order: [1, 0], roundsTested: 2, configAgreement: 0, agreement: 1, decided: true });
  const undecided = decideTypeOrder(types, [[2, 0], [2, 1]], [[7, 0, 7, 0], [7, 0, 7, 0]]);
  assert.deepEqual(undecided.order, [0, 1]);
  assert.equal(decideTypeOrder(types, [[1, 2]], [[7, 0, 7, 0]]).decided, false);
  assert.equal(decideTypeOrder(types, [[1, 2]], [[0, 0, 0, 0]]).decided, true);
});

test("another order is taken only where it agrees in 90% of rounds and in 10% more than the config's", () => {
  const types = [{ name: "v100", count: 2 }, { name: "k80", count: 2 }];
  const rounds = { config: [[1, 0], [7, 0, 0, 0]], other: [[1, 0], [0, 0, 7, 0]], both: [[1, 1], [7, 0, 7, 0]], none: [[2, 1], [7, 0, 7, 7]] };
  const decide = (counts) => {
    const rows = Object.entries(counts).flatMap(([kind, count]) => Array(count).fill(rounds[kind]));
    const { order, decided, roundsTested } = decideTypeOrder(types, rows.map(([used]) => used), rows.map(([, busy]) => busy));
    return [order.join(""), decided, roundsTested];
  };

  assert.deepEqual(decide({ other: 92, config: 8, both: 50 }), ["10", true, 100]);
  assert.deepEqual(decide({ other: 89, config: 11, both: 50 }), ["01", false, 100]);
  assert.deepEqual(decide({ other: 1, config: 9 }), ["01", true, 10]);
  assert.deepEqual(decide({ both: 5 }), ["01", true, 0]);
});

test("the config's order is kept where another is hardly better", () => {
  const types = [{ name: "v100", count: 2 }, { name: "p100", count: 2 }, { name: "k80", count: 2 }];
  const decide = (both, other) => {
    const used = [...Array(both).fill([1, 1, 2]), ...Array(other).fill([0, 1, 2])];
    const busy = [...Array(both).fill([7, 0, 7, 0, 7, 7]), ...Array(other).fill([7, 0, 0, 0, 7, 7])];
    const { order, configAgreement, agreement } = decideTypeOrder(types, used, busy);
    return [order.join(""), configAgreement, agreement];
  };

  assert.deepEqual(decide(95, 5), ["012", 0.95, 0.95]);
  assert.deepEqual(decide(85, 15), ["102", 0.85, 1]);
});

test("rounds of a full cluster say nothing, whatever shows", () => {
  const types = [{ name: "v100", count: 2 }, { name: "k80", count: 2 }];

  assert.deepEqual(decideTypeOrder(types, [[2, 2]], [[0, 7, 0, 0]]), {
    order: [0, 1], roundsTested: 0, configAgreement: 1, agreement: 1, decided: true,
  });
});

test("evenly spaced positions hold the first and the last", () => {
  assert.deepEqual([evenlySpaced(0, 4), evenlySpaced(1, 4), evenlySpaced(5, 1)], [[], [0], [0]]);
  assert.deepEqual([evenlySpaced(3, 4), evenlySpaced(10, 4)], [[0, 1, 2], [0, 3, 6, 9]]);
  assert.equal(evenlySpaced(16, 12).at(-1), 15); // where eleven steps in floating point end short of it
});
