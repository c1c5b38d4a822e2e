import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NarthexError } from "../base/index.ts";
import { Matcher } from "../model/index.ts";
import { delimit, MessageWriter, readDelimited, readFields, readTimestamp, readVarints } from "./protobuf.ts";
import { decodeSilence, encodeSilence } from "./silence/silence.ts";

test("numbers and times read as they were written", () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(fc.array(int64), (values) => {
      const [field] = readFields(new MessageWriter().packedVarints(6, values).finish());
      const read = field === undefined ? [] : readVarints(field).map((value) => BigInt.asIntN(64, value));
      assert.deepEqual(read, values);
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (timeMs) => {
      const [field] = readFields(new MessageWriter().timestamp(3, timeMs).finish());
      assert.equal(readTimestamp(field!.bytes), timeMs);
    }),
  );
});

test("damaged bytes are an error and nothing worse", () => {
  const silence = {
    id: "7",
    matcherSets: [[new Matcher("=~", "a", "b|c")]],
    receiverMatcherSets: [],
    startsAtMs: 1,
    endsAtMs: 2,
    updatedAtMs: 3,
    createdBy: "me",
    comment: "c",
    annotations: new Map([["k", "v"]]),
  };
  const good = encodeSilence(silence, 4);
  assert.deepEqual(decodeSilence(good).silence, silence);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), (at, octet) => {
      const bytes = Uint8Array.from(good);
      bytes[at] = octet;
      try {
        decodeSilence(bytes);
      } catch (error) {
        assert.ok(error instanceof NarthexError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        for (const entry of readDelimited(bytes)) decodeSilence(entry);
      } catch (error) {
        assert.ok(error instanceof NarthexError, String(error));
      }
    }),
  );
  assert.deepEqual([...readDelimited(Buffer.concat([delimit(good), delimit(good)]))].length, 2);
});
