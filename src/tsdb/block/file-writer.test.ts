import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { systemDisk } from "../../base/index.ts";
import { directoryOf } from "../test-support.ts";
import { FileWriter } from "./file-writer.ts";

test("pieces of any length stand in the file in their order", (t) => {
  const directory = directoryOf(t);
  let files = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 1_500_000 })), {
        maxLength: 5,
      }),
      (lengths) => {
        const path = `${directory}/${files++}`;
        const writer = new FileWriter(systemDisk, path);
        const pieces = lengths.map((length, i) => Buffer.alloc(length, i + 1));
        for (const piece of pieces) writer.write(piece);
        const { position } = writer;
        writer.finish();
        const expected = Buffer.concat(pieces);
        assert.equal(position, expected.length);
        assert.ok(readFileSync(path).equals(expected), `pieces of ${lengths.join(", ")} bytes`);
      },
    ),
    { numRuns: 40 },
  );
});
