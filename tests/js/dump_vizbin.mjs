// Decode the file named on the command line and print all of it as one JSON object.
import { readFileSync } from "node:fs";

import { VizBin } from "../../assets/vizbin.mjs";

const bytes = readFileSync(process.argv[2]);
const viz = new VizBin(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const hex = (ids) => Buffer.from(BigInt64Array.from(ids, BigInt).buffer).toString("hex");
const range = (length) => Array.from({ length }, (_, i) => i);
const dump = {
  version: viz.version,
  config: viz.config,
  jobs: range(viz.nJobs).map((i) => Object.values(viz.job(i))),
  rounds: range(viz.nRounds).map((i) => Object.values(viz.round(i))),
  allocations: range(viz.nRounds).map((i) => hex(viz.allocation(i))),
  queues: range(viz.nRounds).map((i) => hex(viz.queue(i))),
  sharing: range(viz.nRounds).map((i) => viz.sharing(i).map(({ gpu, jobIds }) => [gpu, hex(jobIds)])),
};
process.stdout.write(JSON.stringify(dump));
