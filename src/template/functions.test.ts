import assert from "node:assert/strict";
import { test } from "node:test";
import { NarthexError } from "../base/index.ts";
import {
  alertmanagerFunctions,
  alertTemplateData,
  type ExpansionContext,
  Expander,
  formatRfc3339,
  ListValue,
  MapValue,
  stringMap,
  Template,
  type TemplateSample,
  TimeValue,
  type Value,
} from "./index.ts";
import { formatTime, parseTime } from "./layout.ts";

const samples: Record<string, readonly TemplateSample[]> = {
  up: [
    { labels: [["instance", "b"]], value: 21 },
    {
      labels: [
        ["instance", "a"],
        ["__value__", "v"],
      ],
      value: 11,
    },
  ],
  hist: [{ labels: [], value: { histogram: "{count:3, sum:10}" } }],
  none: [],
};

const context: ExpansionContext = {
  timeMs: 1_435_065_584_128,
  externalUrl: new URL("http://prom.example/prefix"),
  query: (expression) => {
    const found = samples[expression];
    return found === undefined
      ? Promise.reject(new NarthexError("bad_data", `cannot parse ${expression}`))
      : Promise.resolve(found);
  },
};

const expand = (text: string): Promise<string> => new Expander("test", text).expand(null, context);

test("Prometheus' functions", async () => {
  const cases: [string, string][] = [
    [`{{ query "up" | first | value }}`, "21"],
    [`{{ query "up" | sortByLabel "instance" | first | label "instance" }}`, "a"],
    [`{{ range query "up" | sortByLabel "instance" }}{{.Labels.instance}}:{{.Value}} {{end}}`, "a:11 b:21 "],
    [`{{ query "up" | sortByLabel "instance" | first | strvalue }}`, "v"],
    [`{{ query "up" | first | label "nothing" }}`, ""],
    [`{{ with query "none" }}some{{else}}nothing{{end}}`, "nothing"],
    [`{{ query "hist" | first | value }}`, "{count:3, sum:10}"],
    [`{{ (query "up" | first).Labels.zzz }}`, ""],
    [`{{define "x"}}{{.arg0}} {{.arg1}}{{end}}{{template "x" (args 1 "2")}}`, "1 2"],
    [`{{ reReplaceAll "(a)b(.)" "$2-\${1}x" "abcab\\n" }}`, "c-axab\n"],
    [`{{ match "a+b" "xaab" }} {{ match "^a$" "ab" }}`, "true false"],
    [`{{ "aa bB CC" | title }} {{ "aB" | toUpper }} {{ "aB" | toLower }}`, "Aa BB CC AB ab"],
    [`{{ "up{a=\\"b c\\"}" | graphLink }}`, "/graph?g0.expr=up%7Ba%3D%22b+c%22%7D&g0.tab=0"],
    [`{{ "up" | tableLink }}`, "/graph?g0.expr=up&g0.tab=1"],
    [
      `{{ "a.b:80" | stripPort }} {{ "a.b" | stripPort }} {{ "[::1]:80" | stripPort }} {{ "::1" | stripPort }}`,
      "a.b a.b ::1 ::1",
    ],
    [
      `{{ "a.b:80" | stripDomain }} {{ "a.b" | stripDomain }} {{ "1.2.3.4:5" | stripDomain }} {{ "[::1]:9" | stripDomain }}`,
      "a:80 a 1.2.3.4:5 [::1]:9",
    ],
    [`{{ range (args 0.0 1.0 1234567.0 0.12 "1.5e-9") }}{{ humanize . }} {{ end }}`, "0 1 1.235M 120m 1.5n "],
    [
      `{{ humanize1024 0.0 }} {{ humanize1024 1024.0 }} {{ humanize1024 1.048576e6 }} {{ humanize1024 0.5 }} {{ humanize1024 "Inf" }}`,
      "0 1ki 1Mi 0.5 +Inf",
    ],
    [
      `{{ range (args 0.0 1.0 60.0 3600.0 86400.0 93784.0 -5.0 0.001 0.0000012 899.99 59.999) }}{{ humanizeDuration . }}|{{ end }}`,
      "0s|1s|60s|1m 0s|1h 0m 0s|1d 0h 0m 0s|1d 2h 3m 4s|-5s|1ms|1.2us|14m 59s|",
    ],
    [`{{ humanizePercentage 0.1234567 }} {{ humanizePercentage "-1.5" }}`, "12.35% -150%"],
    [`{{ humanizeTimestamp 1435065584.128 }}`, "2015-06-23 13:19:44.128 +0000 UTC"],
    [`{{ (1435065584.128 | toTime).Year }} {{ (toDuration 90).Minutes }}`, "2015 1.5"],
    [`{{ now }} {{ pathPrefix }} {{ externalURL }}`, "1.435065584128e+09 /prefix http://prom.example/prefix"],
    [`{{ parseDuration "1h2m10ms" }} {{ parseDuration "-1m" }}`, "3720.01 -60"],
    [`{{ urlQueryEscape "a b&c" }}`, "a+b%26c"],
  ];
  for (const [text, expected] of cases) assert.equal(await expand(text), expected, text);
});

test("what a Prometheus template cannot do is said like upstream says it", async () => {
  const cases: [string, RegExp][] = [
    [
      `{{ query "missing" }}`,
      /error executing template test: template: test:1:3: executing "test" at <query "missing">: error calling query: cannot parse missing$/,
    ],
    [`{{ query "none" | first }}`, /first\(\) called on vector with no elements/],
    [`{{ humanize "x" }}`, /strconv.ParseFloat: parsing "x": invalid syntax/],
    [`{{ humanize (args) }}`, /can't convert map\[string\]interface {} to float/],
    [`{{ reReplaceAll "(" "" "" }}`, /error calling reReplaceAll/],
    [`{{ range $i := 300 }}{{ query (printf "up%d" $i) }}{{ end }}`, /cannot parse up0/],
    [`{{ toTime 1e30 }}`, /overflows int64/],
  ];
  for (const [text, expected] of cases) await assert.rejects(expand(text), expected, text);
  assert.throws(() => new Expander("test", "{{"), {
    message: "error parsing template test: template: test:1: unclosed action",
  });
});

test("alert templates know labels and value", async () => {
  const expander = Expander.forAlert(
    "__alert_X",
    "{{ $labels.instance }} at {{ $value | humanize }}, {{ $externalLabels.dc }}{{ $labels.none }} {{ .ExternalURL }}",
  );
  const data = alertTemplateData({
    labels: [["instance", "host:9090"]],
    externalLabels: [["dc", "eu"]],
    externalUrl: "http://x",
    value: 1234,
  });
  assert.equal(await expander.expand(data, context), "host:9090 at 1.234k, eu http://x");
});

test("consoles are HTML, and call templates with tmpl", async () => {
  const console_ = new Expander(
    "c",
    `{{ define "t" }}<i>{{ . }}</i>{{ end }}{{ tmpl "t" "<b>" }}{{ "<b>" }}{{ "<b>" | safeHtml }}`,
    "html",
  );
  assert.equal(await console_.expand(null, context), "<i>&lt;b&gt;</i>&lt;b&gt;<b>");
  const endless = new Expander("c", `{{ define "t" }}{{ tmpl "t" 1 }}{{ end }}{{ tmpl "t" 1 }}`, "html");
  await assert.rejects(endless.expand(null, context), /tmpl nested deeper/);
});

test("Alertmanager's functions", () => {
  const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  const set = new Template({ functions: alertmanagerFunctions(() => nowMs) });
  const dot = new MapValue(
    new Map<string, Value>([
      ["t", new TimeValue(Date.UTC(2026, 6, 2, 3, 4, 5))],
      ["past", new TimeValue(nowMs - 90_000)],
      ["kv", stringMap([["a", "<x>"]])],
      ["l", new ListValue([1n])],
    ]),
  );
  const cases: [string, string][] = [
    [`{{ "a-b cD" | title }} {{ " x " | trimSpace }}|`, "A-B Cd x|"],
    [`{{ stringSlice "a" "b" | join "," }}`, "a,b"],
    [`{{ urlUnescape "a%20b+c" }}`, "a b c"],
    [`{{ date "2006-01-02 15:04 MST" .t }}`, "2026-07-02 03:04 UTC"],
    [`{{ .t | tz "Europe/Berlin" | date "15:04 MST -0700" }}`, "05:04 CEST +0200"],
    [`{{ .t | tz "America/New_York" | date "Mon Jan 2 3:04PM MST" }}`, "Wed Jul 1 11:04PM EDT"],
    [`{{ .past | since | humanizeDuration }} {{ since .past }}`, "1m 30s 1m30s"],
    [`{{ (toDate "2006-01-02" "2026-03-04").Month }} {{ (toDate "2006-01-02" "x").IsZero }}`, "March true"],
    [
      `{{ toJson .kv }} {{ toJson (dict "b" 1 "a" (list true nil "x" 1.5)) }}`,
      `{"a":"\\u003cx\\u003e"} {"a":[true,null,"x",1.5],"b":1}`,
    ],
    [`{{ base64encode "<a?>" }} {{ base64decode "PGE_Pg==" }}`, "PGE_Pg== <a?>"],
    [`{{ append .l 2 "x" }} {{ list 1 2 }} {{ (dict "k" "v").k }}`, "[1 2 x] [1 2] v"],
    [`{{ reReplaceAll "a." "x" "ab\\na\\n" }}`, "x\na\n"],
    [`{{ humanizeDuration 3661.5 }}`, "1h 1m 1s"],
  ];
  for (const [text, expected] of cases) {
    assert.equal(set.clone().parse("", text).execute("", dot), expected, text);
  }
  const failing: [string, RegExp][] = [
    [`{{ tz "Mars/Base" .t }}`, /unknown time zone Mars\/Base/],
    [`{{ dict "a" }}`, /dict requires an even number of arguments/],
    [`{{ dict 1 2 }}`, /dict keys must be strings/],
    [`{{ urlUnescape "%zz" }}`, /invalid URL escape "%zz"/],
    [`{{ base64decode "!" }}`, /illegal base64 data/],
    [`{{ mustToDate "2006" "x" }}`, /parsing time "x" as "2006"/],
  ];
  for (const [text, expected] of failing) {
    assert.throws(() => set.clone().parse("", text).execute("", dot), expected, text);
  }
});

test("time layouts are written and read", () => {
  const instant = Date.UTC(2006, 0, 2, 15, 4, 5, 60);
  const layouts: [string, string][] = [
    ["Mon Jan _2 15:04:05 2006", "Mon Jan  2 15:04:05 2006"],
    ["02 Jan 06 15:04 MST", "02 Jan 06 15:04 UTC"],
    ["Monday, 02-Jan-06 15:04:05 MST", "Monday, 02-Jan-06 15:04:05 UTC"],
    ["Mon, 02 Jan 2006 15:04:05 -0700", "Mon, 02 Jan 2006 15:04:05 +0000"],
    ["3:04PM 03:04pm 1/2/06 002", "3:04PM 03:04pm 1/2/06 002"],
    ["15:04:05.000 .999999", "15:04:05.060 .06"],
    ["2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05.060Z"],
  ];
  for (const [layout, expected] of layouts)
    assert.equal(formatTime(layout, instant, "UTC"), expected, layout);
  assert.equal(formatRfc3339(instant), "2006-01-02T15:04:05.06Z");
  assert.equal(formatRfc3339(instant - 60), "2006-01-02T15:04:05Z");
  assert.equal(parseTime("2006-01-02T15:04:05Z07:00", "2006-01-02T16:04:05.06+01:00"), instant);
  assert.equal(parseTime("Jan _2 2006 3:04PM", "Jan  2 2006 3:04PM"), Date.UTC(2006, 0, 2, 15, 4));
  assert.throws(() => parseTime("2006-01-02", "2006-02-30"), /cannot parse/);
});
