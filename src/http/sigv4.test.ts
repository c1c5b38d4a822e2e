import assert from "node:assert/strict";
import { test } from "node:test";
import { sigv4Headers } from "./index.ts";

const credentials = {
  accessKey: "AKIDEXAMPLE",
  secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: "",
};

test("AWS' own example of a form is signed as there", () => {
  const request = {
    method: "POST",
    url: new URL("https://example.amazonaws.com/"),
    contentType: "application/x-www-form-urlencoded",
    body: "Param1=value1",
  };
  const nowMs = Date.UTC(2015, 7, 30, 12, 36, 0);
  const headers = sigv4Headers(request, credentials, "us-east-1", "service", nowMs);
  assert.deepEqual(headers, [
    "authorization",
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    "x-amz-date",
    "20150830T123600Z",
  ]);
  const temporary = sigv4Headers(
    request,
    { ...credentials, sessionToken: "t" },
    "us-east-1",
    "service",
    nowMs,
  );
  assert.deepEqual(temporary.slice(2), ["x-amz-date", "20150830T123600Z", "x-amz-security-token", "t"]);
});
