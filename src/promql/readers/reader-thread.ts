/** A reader thread: answers requests over the shared memory, alone or together with its peers. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import {
  NarthexError,
  assert,
  errorCode,
  errorMessage,
  lowerThreadPriority,
  systemClock,
  systemDisk,
} from "../../base/index.ts";
import { attachKernel } from "../../kernel/index.ts";
import { createQueryable } from "../../tsdb/index.ts";
import { type PartialResult } from "../engine.ts";
import { partialBuffers } from "../operator/partial.ts";
import { Answerer } from "./answer.ts";
import {
  type Failure,
  type ReaderOrder,
  type ReaderParts,
  type ReaderReport,
  type ReaderStart,
  SharedWords,
} from "./messages.ts";

/** How far readers stand back behind the thread that scrapes. */
const readerNice = 5;

/** How long a reader sleeps at most before it looks again whether its query was cancelled. */
const waitMsMax = 50;

const start = workerData as ReaderStart;
const kernel = attachKernel(start.kernel);
const words = new SharedWords(start.words);
const answerer = new Answerer({
  kernel,
  queryable: createQueryable({ kernel, disk: systemDisk }),
  clock: systemClock,
  words,
  settings: start.settings,
  reader: start.index,
});

function report(message: ReaderReport, transfer: ArrayBuffer[] = []): void {
  parentPort!.postMessage(message, transfer);
}

/** How JavaScript says that an array or the stack would become too large, which is the query's doing. */
const tooLarge =
  /^(?:Maximum call stack|Array buffer allocation|Invalid (?:typed )?array length|Invalid string length)/;

function failureOf(error: unknown): Failure {
  if (error instanceof RangeError && tooLarge.test(error.message))
    return { code: "execution", message: `query is too large to be evaluated: ${error.message}` };
  const isExpected = error instanceof NarthexError;
  return {
    code: errorCode(error),
    message: isExpected ? error.message : ((error as Error).stack ?? errorMessage(error)),
  };
}

function answer(order: Extract<ReaderOrder, { type: "answer" }>): void {
  const { id, request, ticket, peers, costMax } = order;
  const isQuery = request.kind === "instant" || request.kind === "range";
  const isShared = peers.length > 0 && isQuery;
  try {
    const prepared = isQuery ? answerer.prepare(request, ticket) : undefined;
    if (costMax !== undefined && isQuery && answerer.cost(request, prepared!) > costMax) {
      report({ type: "declined", id });
      return;
    }
    const partials = isShared ? () => gatherParts(order) : undefined;
    const { body, ...rest } = answerer.answer(request, { ticket, prepared, partials });
    // The answer's buffer may be larger than the answer; what travels is cut to size only when much would be left over. Node's pool,
    // where small answers are, cannot travel at all.
    const isRoomy = body.buffer.byteLength > 2 * body.length;
    const sent = isRoomy || Buffer.isBuffer(body) ? new Uint8Array(body) : body;
    report({ type: "answered", id, answer: { ...rest, body: sent } }, [sent.buffer]);
  } catch (error) {
    report({ type: "failed", id, failure: failureOf(error) });
  }
}

/** The own share, shard 0, and then what the peers found, turned from one list per reader to one per fragment. */
function gatherParts(order: Extract<ReaderOrder, { type: "answer" }>): PartialResult[][] {
  const { id, request, ticket, peers } = order;
  assert(request.kind === "instant" || request.kind === "range", "only queries are shared");
  const own = answerer.assist(request, { index: 0, count: peers.length + 1 }, ticket);
  const all = [
    own,
    ...peers.map((peer) =>
      receiveParts(start.ports[peer]!, id, ticket.cancelWord, request.options.deadlineMs),
    ),
  ];
  return own.map((_, fragment) => all.map((parts) => parts[fragment]!));
}

/** Waits for one peer's parts. Those of queries that failed here earlier may lie before them and are dropped. */
function receiveParts(
  port: MessagePort,
  id: number,
  cancelWord: number,
  deadlineMs: number,
): PartialResult[] {
  for (;;) {
    const seen = words.arrivals(start.index);
    const received = receiveMessageOnPort(port) as { message: ReaderParts } | undefined;
    if (received === undefined) {
      if (words.isCancelled(cancelWord))
        throw new NarthexError("canceled", "query was canceled in expression evaluation");
      if (systemClock.nowMs() > deadlineMs)
        throw new NarthexError("timeout", "query timed out in expression evaluation");
      words.waitForArrival(start.index, seen, waitMsMax);
      continue;
    }
    const { message } = received;
    if (message.id !== id) continue;
    if ("failure" in message) throw new NarthexError(message.failure.code, message.failure.message);
    return message.parts;
  }
}

function assist(order: Extract<ReaderOrder, { type: "assist" }>): void {
  const { id, request, ticket, shard, answering } = order;
  assert(request.kind === "instant" || request.kind === "range", "only queries are shared");
  const port = start.ports[answering]!;
  try {
    const parts = answerer.assist(request, shard, ticket);
    port.postMessage({ id, parts } satisfies ReaderParts, parts.flatMap(partialBuffers));
  } catch (error) {
    port.postMessage({ id, failure: failureOf(error) } satisfies ReaderParts);
  }
  words.noteArrival(answering);
  report({ type: "assisted", id });
}

lowerThreadPriority(readerNice);
parentPort!.on("message", (order: ReaderOrder) => (order.type === "answer" ? answer(order) : assist(order)));
report({ type: "ready" });
