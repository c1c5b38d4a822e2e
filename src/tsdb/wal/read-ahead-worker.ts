/** The thread that reads the log while the main thread brings it into the head: it checks and decompresses records, and gathers their samples. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { errorMessage, NarthexError } from "../../base/index.ts";
import { attachKernel } from "../../kernel/index.ts";
import { LogReader } from "./log-reader.ts";
import { StoppedError } from "./loans.ts";
import type { ReadAheadMessage, ReadAheadOrder, ReadAheadStart } from "./read-ahead-messages.ts";

const start = workerData as ReadAheadStart;
const receiveOrder = (): ReadAheadOrder =>
  (receiveMessageOnPort(parentPort!) as { message: ReadAheadOrder }).message;
const reader = new LogReader(attachKernel(start.kernel), { ...start, send, receiveOrder });
try {
  if (start.isSeriesFirst) reader.readSeries();
  reader.readRecords();
  send({ type: "end" });
} catch (error) {
  if (!(error instanceof StoppedError)) {
    const code = error instanceof NarthexError ? error.code : "internal";
    send({ type: "failed", code, message: errorMessage(error) });
  }
} finally {
  reader.close();
}

function send(message: ReadAheadMessage): void {
  parentPort!.postMessage(message);
}
