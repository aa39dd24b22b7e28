// The table of nodes: its columns and cells.
import assert from "node:assert/strict";
import test from "node:test";

import { cellsOf, columnsOf } from "../../../assets/player/panels/nodes_view.mjs";

test("free GPUs have a column each up to eight, then one for each doubling", () => {
  assert.deepEqual(columnsOf(4).map(([least]) => least), [0, 1, 2, 3, 4]);
  assert.deepEqual(columnsOf(40).slice(8), [[8, 8], [9, 16], [17, 32], [33, 40]]);
  for (const size of [1, 2, 8, 9, 16, 17, 65_535]) {
    const columns = columnsOf(size);
    columns.forEach(([least], k) => assert.equal(least, k === 0 ? 0 : columns[k - 1][1] + 1));
    assert.equal(columns.at(-1)[1], size);
  }
});

test("nodes by column; a dash where the file does not say, nothing where a node is smaller", () => {
  const type = { size: 4, nNodes: 9, occupiedNodes: 8, nodesByFree: [[0, 6], [2, 2], [4, 1]] };
  assert.deepEqual(cellsOf(type, columnsOf(5)), ["8 of 9", "6", "0", "2", "0", "1", ""]);
  const large = { size: 40, nNodes: 1200, occupiedNodes: 1100, nodesByFree: [[8, 1000], [9, 2], [16, 3], [40, 100]] };
  assert.deepEqual(cellsOf(large, columnsOf(40)).slice(-4), ["1,000", "5", "0", "100"]);
  assert.deepEqual(cellsOf({ ...type, occupiedNodes: null, nodesByFree: null }, columnsOf(2)), ["– of 9", "–", "–", "–"]);
});
