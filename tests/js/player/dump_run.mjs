// Read the files named on the command line as a file of the user's, and print all that is in them: a JSON list.
// What is damaged is { offset } of its error.
import { openAsBlob } from "node:fs";

import { VizFormatError, copyStoredIds, readHead } from "../../../assets/player/decoder/decoder.mjs";
import { FileSource } from "../../../assets/player/source/data_source.mjs";
import { RunReader } from "../../../assets/player/source/run_reader.mjs";
import { scanRun } from "../../../assets/player/source/scan.mjs";
import { decideTypeOrder } from "../../../assets/player/decoder/type_order.mjs";

const hex = (ids) => Buffer.from(BigInt64Array.from(ids, BigInt).buffer).toString("hex");
const range = (length) => Array.from({ length }, (_, i) => i);

async function orDamage(read) {
  try {
    return await read();
  } catch (error) {
    if (error instanceof VizFormatError) return { offset: error.offset };
    throw error;
  }
}

async function dumpRun(path) {
  const reader = await RunReader.open(new FileSource(await openAsBlob(path)));
  const { header, config, jobs, order } = reader;
  const chunks = await Promise.all(range(reader.nChunks).map((k) => reader.fetchChunk(k)));
  const ofRounds = (read) => Promise.all(range(header.nRounds).map((i) => orDamage(() => read(i, chunks[reader.chunkOf(i)]))));
  const plain = (storedIds) => hex(Array.from(storedIds, (id) => (id === 0 ? -1 : id - config.jobIdOffset)));
  // As a Map: of two entries of one GPU the later counts, in Python too.
  const sharing = (i, chunk) => [...new Map(chunk.sharing(i).map(({ gpu, storedIds }) => [gpu, plain(storedIds)]))];
  const { jobId, typeId, scaleFactor, arrivalRound, completionRound, durationS, completed } = jobs;
  const columns = [jobId, typeId, scaleFactor, arrivalRound, completionRound, durationS, completed];
  return {
    version: header.version,
    config: config.raw,
    policy: config.policy,
    window: config.window && [config.window.startJob, config.window.endJob],
    gpuTypes: reader.gpuTypes.map(({ name, count, gpusPerNode }) => [name, count, gpusPerNode]),
    jobTypes: [...config.jobTypes].map(([id, { name, category }]) => [id, name, category]),
    order,
    decided: reader.typeOrder.decided,
    orderOfAllRounds: Object.values(await decideFromAll(reader)),
    jobs: range(header.nJobs).map((row) => columns.map((column) => column[row])),
    rounds: await ofRounds((i, chunk) => Object.values(chunk.head(i))),
    allocations: await ofRounds((i, chunk) => plain(chunk.storedIds(i))),
    sharing: await ofRounds(sharing),
    queues: await ofRounds(async (i) => hex(await reader.queue(i))),
    scan: await orDamage(async () => Object.values(await scanRun(reader)).map((column) => [...column])),
  };
}

async function decideFromAll({ source, header, config }) {
  const at = header.offsets.rounds;
  const bytes = await source.read(at, at + header.nRounds * header.roundBytes);
  const configOrder = config.gpuTypes.map((_, t) => t);
  const used = range(header.nRounds).map((i) => readHead(bytes, i * header.roundBytes, header, configOrder).gpusUsed);
  const busy = range(header.nRounds).map((i) => {
    const storedIds = new Uint32Array(header.nGpus);
    copyStoredIds(bytes, i * header.roundBytes, header, storedIds, 0);
    return storedIds;
  });
  return decideTypeOrder(config.gpuTypes, used, busy);
}

const dumps = [];
for (const path of process.argv.slice(2)) dumps.push(await orDamage(() => dumpRun(path)));
process.stdout.write(JSON.stringify(dumps));
