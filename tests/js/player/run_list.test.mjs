// Which runs are open: those that Dash names, and one whose file has changed until it is open anew.
import assert from "node:assert/strict";
import test from "node:test";

globalThis.window = { dash_clientside: { set_props() {} } };
const { RunList } = await import("../../../assets/player/model/run_list.mjs");

const info = (name, version) => ({ name, base: `/api/runs/${name}`, version, n_bytes: 1000, index: 3, order: [0], phases: null });
const sizes = { nRounds: 10, nGpus: 4, nJobs: 2 };

function makeList() {
  const posted = [];
  const list = new RunList({ post: (message) => posted.push(`${message.type} ${message.key}`), onChange() {}, onColumns() {}, say() {}, attempt() {} });
  const open = (key) => {
    const run = list.get(key);
    run.opened = () => { run.meta = sizes; };
    run.loadColumns = async () => {};
    list.receive({ type: "opened", key });
  };
  return { list, posted, open, shown: () => list.open?.map((run) => run.key) ?? null };
}

test("a run whose file has changed stays on the page until it is open as it is now", () => {
  const { list, posted, open, shown } = makeList();
  list.load([info("a", "1"), info("b", "1")]);
  assert.equal(shown(), null);
  open("a@1");
  open("b@1");
  assert.deepEqual(shown(), ["a@1", "b@1"]);
  list.load([info("a", "2"), info("b", "1")]);
  assert.deepEqual(posted.splice(0), ["open a@1", "open b@1", "open a@2"]);
  assert.deepEqual(shown(), ["a@1", "b@1"]);
  open("a@2");
  assert.deepEqual(posted.splice(0), ["close a@1"]);
  assert.deepEqual(shown(), ["a@2", "b@1"]);
});

test("a file that changes faster than it opens leaves nothing open behind it", () => {
  const { list, posted, open, shown } = makeList();
  list.load([info("a", "1")]);
  open("a@1");
  list.load([info("a", "2")]);
  list.load([info("a", "3")]);
  assert.deepEqual(shown(), ["a@1"]);
  open("a@3");
  assert.deepEqual(shown(), ["a@3"]);
  assert.deepEqual(posted.filter((line) => line.startsWith("close")).sort(), ["close a@1", "close a@2"]);
});

test("another run is another run", () => {
  const { list, posted, open, shown } = makeList();
  list.load([info("a", "1")]);
  open("a@1");
  list.load([info("b", "1")]);
  assert.ok(posted.includes("close a@1"));
  assert.equal(shown(), null);
});
