// Free blocks and the split of the queue, as the Cluster page shows them: for each { path, nodeSizes, records } of the JSON
// list in the first argument a list of rounds.
import { openAsBlob } from "node:fs";

import { FileSource } from "../../../assets/player/source/data_source.mjs";
import { hiddenGpus } from "../../../assets/player/decoder/clean_queue.mjs";
import { parseNodeSizes } from "../../../assets/player/model/address.mjs";
import { Run } from "../../../assets/player/model/run.mjs";
import { queueRows, queueSizes } from "../../../assets/player/panels/queue_panel.mjs";
import { RunReader } from "../../../assets/player/source/run_reader.mjs";
import { fittingGpus, nodeFacts, popularityOf } from "../../../assets/player/worker/blocks.mjs";

async function dump({ path, nodeSizes, records }) {
  const reader = await RunReader.open(new FileSource(await openAsBlob(path)));
  const { header, config, jobs } = reader;
  const run = new Run({ key: "k", name: "run", source: { kind: "file" } });
  run.opened({
    jobs, jobTypes: [...config.jobTypes],
    meta: { nRounds: header.nRounds, nJobs: header.nJobs, gpuTypes: reader.gpuTypes, jobIdOffset: config.jobIdOffset, window: config.window },
  });
  run.setNodeSizes(parseNodeSizes(nodeSizes));
  const bands = run.gpuTypes.map(({ firstGpu, count, gpusPerNode }) => ({ first_gpu: firstGpu, count, gpus_per_node: gpusPerNode }));
  const popularity = popularityOf(jobs.scaleFactor);
  const rounds = [];
  for (const index of records) {
    const chunk = await reader.load(reader.chunkOf(index));
    const [head, ids, sharing] = [chunk.head(index), chunk.storedIds(index), chunk.sharing(index)];
    const visible = ids.some((id) => id !== 0);
    const inUse = head.jobsRunning > 0 && head.gpusUsed.some((used) => used > 0);
    const isHidden = hiddenGpus({ storedIds: ids, sharing, head, jobs, jobIdOffset: config.jobIdOffset }) > 0;
    const facts = nodeFacts({ ids, sharing, bands, isKnown: (visible || !inUse) && !isHidden, gpusUsed: head.gpusUsed, popularity });
    const sizes = queueSizes(queueRows(await reader.queue(index), run, index, facts));
    const fits = Object.fromEntries(sizes.filter(({ scaleFactor }) => scaleFactor).map(({ scaleFactor }) => [scaleFactor, fittingGpus(scaleFactor, { ids, sharing, bands }).length]));
    rounds.push({ facts, sizes, fits, queued: head.jobsQueued });
  }
  return rounds;
}

const dumps = [];
for (const wanted of JSON.parse(process.argv[2])) dumps.push(await dump(wanted));
process.stdout.write(JSON.stringify(dumps));
