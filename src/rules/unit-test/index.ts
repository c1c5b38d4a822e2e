/** Unit tests for rules, in the format of upstream's `promtool test rules`. */
export { readUnitTestFile, type UnitTest, type UnitTestFile } from "./file.ts";
export { runUnitTest, type UnitTestOptions } from "./run.ts";
