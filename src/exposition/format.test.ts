import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptHeader, selectFormat } from "./index.ts";

test("the Accept header lists the protocols in order", () => {
  assert.equal(
    acceptHeader(
      ["OpenMetricsText1.0.0", "OpenMetricsText0.0.1", "PrometheusText1.0.0", "PrometheusText0.0.4"],
      "allow-utf-8",
    ),
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
  );
});

test("the Content-Type header selects the format", () => {
  assert.deepEqual(selectFormat("text/plain; version=0.0.4; charset=utf-8"), { format: "text" });
  assert.deepEqual(selectFormat("text/plain"), { format: "text" });
  assert.deepEqual(selectFormat('Application/OpenMetrics-Text; version="1.0.0";'), { format: "openmetrics" });
  assert.deepEqual(
    selectFormat(
      "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
    ),
    { format: "protobuf" },
  );
});

test("a type that is missing, malformed or unknown needs a fallback", () => {
  for (const [header, complaint] of [
    [undefined, "non-compliant scrape target sending blank Content-Type"],
    ["", "non-compliant scrape target sending blank Content-Type"],
    ["text/html", 'received unsupported Content-Type "text/html"'],
    ["text/plain; version", 'cannot parse Content-Type "text/plain; version"'],
    ["invalid media type", 'cannot parse Content-Type "invalid media type"'],
  ] as const) {
    assert.throws(() => selectFormat(header), {
      code: "bad_data",
      message: `${complaint} and no fallback_scrape_protocol specified for target`,
    });
    assert.deepEqual(selectFormat(header, "OpenMetricsText1.0.0"), {
      format: "openmetrics",
      warning: `${complaint}, using fallback_scrape_protocol "OpenMetricsText1.0.0"`,
    });
  }
});
