// Latency of single queries on one thread, without HTTP. `node bench/promql/queries.ts [targets] [samples] [part of a query]`
import { Engine, JsonSink } from "../../src/promql/index.ts";
import { loadHead } from "./data.ts";

const [targets = "100", samples = "300", only = ""] = process.argv.slice(2);
const { context, endMs, close } = await loadHead(Number(targets), Number(samples));
const engine = new Engine();

const rangeQueries = [
  "sum(rate(http_requests_total[1m]))",
  "sum by (instance) (rate(http_requests_total[1m]))",
  "histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket[1m])))",
  'count({__name__=~".+"})',
  "http_request_errors_total / http_requests_total",
  "topk(5, rate(http_requests_total[1m]))",
  "http_requests_total",
];
const instantQueries = [
  "up == 0",
  'http_requests_total{instance="10.0.0.1:9100"}',
  "sum(rate(gauge_1[1m]))",
  "1 + 1",
];

const steps = 60;
const stepMs = 4000;
for (const query of rangeQueries.filter((each) => each.includes(only))) {
  const startMs = endMs - steps * stepMs;
  measure(`range    ${query}`, 5, () => {
    const sink = new JsonSink();
    const plan = engine.planRange(query, startMs, startMs + (steps - 1) * stepMs, stepMs, context);
    engine.execute(plan, context, sink);
    return sink.finish().length;
  });
}
for (const query of instantQueries.filter((each) => each.includes(only))) {
  measure(`instant  ${query}`, 5000, () => {
    const sink = new JsonSink();
    engine.execute(engine.planInstant(query, endMs - 1000, context), context, sink);
    return sink.finish().length;
  });
}
await close();

function measure(name: string, runs: number, run: () => number): void {
  let best = Infinity;
  let bytes = 0;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    bytes = run();
    best = Math.min(best, performance.now() - start);
  }
  console.log(`${best.toFixed(best < 1 ? 4 : 1).padStart(9)} ms  ${String(bytes).padStart(10)} B  ${name}`);
}
