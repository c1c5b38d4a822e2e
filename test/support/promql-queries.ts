import { randomNumbers } from "./promql-data.ts";

/** Queries written by hand, a few for every part of the language that both versions know. */
export const handwrittenQueries: readonly string[] = String.raw`
requests_total
requests_total{job="api"}
requests_total{job!="api",path=~"/.*"}
requests_total{instance!~"a.*|b.*"}
{__name__=~"requests_total|errors_total",job="web"}
{job="api",__name__!="temperature"}
requests_total offset 5m
requests_total offset -2m
requests_total @ end()
requests_total @ start() offset 1m
sparse
count(sparse)
odd
odd == odd
odd * 2
-odd
-temperature
+temperature
1 + 2 * 3 ^ 2 % 5 - -1
time()
time() - 60
vector(1)
vector(time())
scalar(odd{kind="constant"})
scalar(requests_total)
rate(requests_total[1m])
rate(requests_total[5m])
rate(requests_total[20s])
increase(requests_total[10m])
irate(requests_total[2m])
idelta(temperature[2m])
delta(temperature[5m])
deriv(temperature[5m])
predict_linear(temperature[5m], 600)
changes(temperature[3m])
changes(odd[5m])
resets(requests_total[30m])
resets(temperature[5m])
sum_over_time(temperature[5m])
avg_over_time(temperature[5m])
min_over_time(temperature[5m])
max_over_time(temperature[5m])
count_over_time(sparse[10m])
last_over_time(sparse[20m])
present_over_time(sparse[2m])
stddev_over_time(temperature[5m])
stdvar_over_time(temperature[5m])
quantile_over_time(0.3, temperature[5m])
quantile_over_time(1.5, temperature[5m])
quantile_over_time(-1, temperature[5m])
min_over_time(odd[2m])
max_over_time(odd[2m])
sum_over_time(odd[2m])
avg_over_time(odd[2m])
absent_over_time(sparse{job="api"}[2m])
absent_over_time(nothing{a="b",c!="d"}[2m])
rate(requests_total[5m] offset 3m)
rate(requests_total[5m] @ end())
sum(requests_total)
sum by (job) (requests_total)
sum without (path) (requests_total)
sum by (job, missing) (requests_total)
avg(temperature)
avg by (sensor) (temperature)
min by (job) (temperature)
max by (job) (temperature)
count by (job) (temperature > 0)
group by (path) (requests_total)
stddev by (job) (temperature)
stdvar by (job) (temperature)
sum(odd)
avg(odd)
min(odd)
max(odd)
count(odd)
stddev(odd)
quantile(0.9, temperature)
quantile by (job) (0.5, temperature)
quantile(2, temperature)
quantile(-0.1, temperature)
topk(3, temperature)
topk by (job) (2, temperature)
bottomk(2, temperature)
bottomk by (sensor) (1, temperature)
topk(0, temperature)
topk(2, odd)
bottomk(2, odd)
topk(scalar(odd{kind="constant"}) - 40, temperature)
count_values("v", build_info)
count_values by (job) ("v", round(temperature))
count_values("v", odd{kind="constant"})
sum by (job) (rate(requests_total[5m]))
sum(rate(requests_total[5m])) by (path) / sum(rate(requests_total[5m])) by (path)
sum(rate(errors_total[5m])) / sum(rate(requests_total[5m]))
histogram_quantile(0.9, rate(latency_seconds_bucket[5m]))
histogram_quantile(0.5, sum by (le) (rate(latency_seconds_bucket[5m])))
histogram_quantile(0.99, sum by (le, job) (rate(latency_seconds_bucket[5m])))
histogram_quantile(1.1, latency_seconds_bucket)
histogram_quantile(-1, latency_seconds_bucket)
histogram_quantile(0.5, latency_seconds_bucket{le!="+Inf"})
histogram_quantile(0.5, requests_total)
errors_total / requests_total
errors_total / ignoring(path) requests_total
errors_total / on(job, instance, path) requests_total
errors_total / on(job, instance) group_left requests_total
errors_total * on(job, instance) group_left(version) build_info
build_info * on(job, instance) group_right(version) errors_total
errors_total + ignoring(version) group_left build_info
requests_total % 7
requests_total ^ 0.5
2 ^ build_info
7 % requests_total
10 / temperature
temperature atan2 2
temperature atan2 on(job, instance, sensor) temperature
temperature > 0
temperature >= bool 0
0 < temperature
0 <= bool temperature
temperature == temperature
temperature != bool temperature
requests_total > errors_total
requests_total > bool errors_total
requests_total > on(job, instance, path) errors_total
requests_total > ignoring(missing) group_left errors_total
requests_total < on(job, instance) group_right(version) build_info
1 == bool 1
1 > bool 2
requests_total and errors_total
requests_total and on(job) errors_total{job="api"}
requests_total or errors_total
requests_total or on(job) build_info
requests_total unless errors_total
requests_total unless on(job, instance) sparse
sparse or vector(0)
sum(sparse) or vector(0)
requests_total and ignoring(path) build_info{version="1.2"}
abs(temperature)
ceil(temperature)
floor(temperature)
round(temperature)
round(temperature, 0.3)
round(temperature, 5)
sqrt(requests_total)
exp(temperature / 10)
ln(requests_total)
log2(requests_total)
log10(requests_total)
sgn(temperature)
clamp(temperature, -3, 3)
clamp(temperature, 3, -3)
clamp_min(temperature, 0)
clamp_max(temperature, 0)
sin(temperature)
cos(temperature) * tan(temperature)
asin(temperature / 100)
acos(temperature / 100)
atan(temperature)
sinh(temperature / 10)
cosh(temperature / 10)
tanh(temperature / 10)
asinh(temperature)
acosh(abs(temperature) + 1)
atanh(temperature / 100)
deg(temperature) + rad(temperature)
pi() * temperature
hour()
minute(vector(time() - 86400))
day_of_week(vector(time()))
day_of_month(vector(1e9)) + month(vector(1e9)) + year(vector(1e9))
day_of_year(vector(951782400)) + days_in_month(vector(951782400))
timestamp(temperature)
timestamp(temperature offset 1m)
timestamp(abs(temperature))
absent(nothing)
absent(nothing{job="a",instance=~"b"})
absent(sparse)
absent(sum(nothing))
label_replace(build_info, "v", "$1-$2", "version", "(\\d)\\.(\\d)")
label_replace(build_info, "v", "", "version", ".*")
label_replace(build_info, "job", "same", "job", ".*")
label_replace(build_info, "__name__", "other", "job", "api")
label_join(build_info, "j", "-", "job", "instance", "missing")
sort(temperature)
sort_desc(temperature)
max_over_time(rate(requests_total[1m])[5m:30s])
avg_over_time(sum(rate(requests_total[1m]))[10m:1m])
sum_over_time(temperature[5m:])
rate(sum(requests_total)[5m:1m])
min_over_time((temperature > 0)[3m:20s] offset 1m)
max_over_time(max_over_time(temperature[2m:30s])[5m:1m])
quantile_over_time(0.5, sum by (job) (temperature)[5m:1m])
avg_over_time(temperature[5m:1m] @ end())
sum(sum_over_time(requests_total[2m])) without (job)
sum(1 + requests_total - errors_total)
(requests_total + errors_total) / 2 > 50
predict_linear(temperature[5m] @ end(), 60)
sum by (job) (requests_total) + on() group_right sum by (job, instance) (errors_total)
errors_total / on(job) requests_total
build_info + on(version) build_info
sum(temperature) by (job) > bool on(job) sum(temperature) by (job)
`
  .trim()
  .split("\n");

const vectorSelectors = [
  "requests_total",
  "errors_total",
  "temperature",
  "sparse",
  "build_info",
  "latency_seconds_bucket",
];
const matcherSets = ["", '{job="api"}', '{instance=~"a.*|c.*"}', '{job!="web",instance!="b:1"}'];
const modifiers = ["", "", "", " offset 90s", " offset -45s", " @ end()"];
const windows = ["[1m]", "[3m]", "[7m]", "[90s]"];
const rangeFunctions =
  "rate increase delta irate idelta sum_over_time avg_over_time min_over_time max_over_time count_over_time last_over_time changes resets deriv stddev_over_time present_over_time";
const instantFunctions = "abs ceil floor sqrt sgn ln exp round timestamp sort";
const aggregations = "sum avg min max count group stddev topk:2 bottomk:2 quantile:0.7";
const groupings = [
  "",
  " by (job)",
  " by (job, instance)",
  " without (path, sensor, le, version)",
  " by (path)",
];
const operators = [
  "+",
  "-",
  "*",
  "/",
  "%",
  "==",
  "!=",
  ">",
  "<=",
  "> bool",
  "and",
  "or",
  "unless",
  "== bool",
];
const matchings = ["", "", " on(job, instance)", " ignoring(path, sensor, version, le)"];

/** Queries put together at random; most make sense, some are refused by both. */
export function generatedQueries(seed: number, count: number): string[] {
  const random = randomNumbers(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const word = (words: string): string => pick(words.split(" "));
  const selector = (): string => pick(vectorSelectors) + pick(matcherSets);
  const vector = (depth: number): string => {
    const kind = depth <= 0 ? 0 : Math.floor(random() * 8);
    switch (kind) {
      case 0:
        return selector() + pick(modifiers);
      case 1:
      case 2:
        return `${word(rangeFunctions)}(${selector()}${pick(windows)}${pick(modifiers)})`;
      case 3:
        return `${word(instantFunctions)}(${vector(depth - 1)})`;
      case 4:
      case 5: {
        const [name, parameter] = word(aggregations).split(":") as [string, string?];
        // Ties are decided by an order that 2.42 does not define, so what is ranked has none.
        if (name.endsWith("k"))
          return `${name}${pick(groupings)} (${parameter}, temperature${pick(matcherSets)})`;
        return `${name}${pick(groupings)} (${parameter === undefined ? "" : `${parameter}, `}${vector(depth - 1)})`;
      }
      case 6: {
        const operator = pick(operators);
        const isSet = ["and", "or", "unless"].includes(operator);
        const side = random() < 0.3 && !isSet ? String(Math.floor(random() * 9) + 1) : vector(depth - 1);
        const matching = /^\d/.test(side) ? "" : pick(matchings);
        const card = isSet || matching === "" || random() < 0.5 ? "" : pick([" group_left", " group_right"]);
        return `(${vector(depth - 1)}) ${operator}${matching}${card} (${side})`;
      }
      default:
        return `${word(rangeFunctions)}((${vector(depth - 1)})${pick(["[3m:30s]", "[5m:1m]", "[2m:]"])})`;
    }
  };
  return Array.from({ length: count }, () => vector(3));
}
