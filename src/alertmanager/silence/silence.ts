/** A silence: matchers, and the time during which alerts that they match notify nobody. */
import { NarthexError } from "../../base/index.ts";
import { Matcher, type Labels, type MatchType, quoteGo } from "../../model/index.ts";
import { matchesAll, type MatcherParser } from "../matcher/index.ts";
import { MessageWriter, readFields, readString, readTimestamp } from "../protobuf.ts";

export type SilenceState = "pending" | "active" | "expired";

export interface Silence {
  readonly id: string;
  /** Each set by itself silences what all its matchers match. The API makes and shows silences of one set. */
  readonly matcherSets: readonly (readonly Matcher[])[];
  /** When present, only notifications to receivers with matching labels are silenced. */
  readonly receiverMatcherSets: readonly (readonly Matcher[])[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly updatedAtMs: number;
  readonly createdBy: string;
  readonly comment: string;
  readonly annotations: ReadonlyMap<string, string>;
}

export function stateAt(silence: Silence, timeMs: number): SilenceState {
  if (timeMs < silence.startsAtMs) return "pending";
  return timeMs >= silence.endsAtMs ? "expired" : "active";
}

export function silenceMatches(silence: Silence, labels: Labels): boolean {
  return silence.matcherSets.some((matchers) => matchesAll(matchers, labels));
}

/** Throws `bad_data` for a silence that could not work or would silence everything. */
export function checkSilence(silence: Silence, parser: MatcherParser): void {
  const fail = (message: string): never => {
    throw new NarthexError("bad_data", `invalid silence: ${message}`);
  };
  if (silence.matcherSets.length === 0) fail("at least one matcher set required");
  silence.matcherSets.forEach((matchers, set) => {
    if (matchers.length === 0) fail(`matcher set ${set} is empty`);
    matchers.forEach((matcher, i) => {
      if (!parser.isLabelName(matcher.name)) {
        fail(`invalid label matcher ${i} in set ${set}: invalid label name ${quoteGo(matcher.name)}`);
      }
    });
    if (matchers.every((matcher) => matcher.matchesEmpty())) {
      fail(`matcher set ${set}: at least one matcher must not match the empty string`);
    }
  });
  if (silence.endsAtMs < silence.startsAtMs) fail("end time must not be before start time");
}

// The stored form: upstream's silencepb.MeshSilence.

const TYPES: readonly MatchType[] = ["=", "=~", "!=", "!~"];

function encodeMatcher({ type, name, value }: Matcher): Uint8Array {
  return new MessageWriter().varint(1, TYPES.indexOf(type)).string(2, name).string(3, value).finish();
}

function encodeMatcherSet(matchers: readonly Matcher[]): Uint8Array {
  const set = new MessageWriter();
  for (const matcher of matchers) set.message(1, encodeMatcher(matcher));
  return set.finish();
}

/** `expiresAtMs` is when the entry may be forgotten. */
export function encodeSilence(silence: Silence, expiresAtMs: number): Uint8Array {
  const message = new MessageWriter().string(1, silence.id);
  // For readers that know of only one set.
  for (const matcher of silence.matcherSets[0] ?? []) message.message(2, encodeMatcher(matcher));
  message
    .timestamp(3, silence.startsAtMs)
    .timestamp(4, silence.endsAtMs)
    .timestamp(5, silence.updatedAtMs)
    .string(8, silence.createdBy)
    .string(9, silence.comment);
  for (const [name, value] of silence.annotations) {
    message.message(10, new MessageWriter().string(1, name).string(2, value).finish());
  }
  for (const matchers of silence.matcherSets) message.message(11, encodeMatcherSet(matchers));
  for (const matchers of silence.receiverMatcherSets) message.message(12, encodeMatcherSet(matchers));
  return new MessageWriter().message(1, message.finish()).timestamp(2, expiresAtMs).finish();
}

function decodeMatcher(bytes: Uint8Array): Matcher {
  let [type, name, value]: [MatchType, string, string] = ["=", "", ""];
  for (const field of readFields(bytes)) {
    if (field.number === 1) type = TYPES[Number(field.integer)] ?? "=";
    if (field.number === 2) name = readString(field.bytes);
    if (field.number === 3) value = readString(field.bytes);
  }
  return new Matcher(type, name, value);
}

function decodeMatcherSet(bytes: Uint8Array): Matcher[] {
  return [...readFields(bytes)]
    .filter(({ number }) => number === 1)
    .map((field) => decodeMatcher(field.bytes));
}

/** Throws `bad_data` when the bytes are no silence or its matchers no longer compile. */
export function decodeSilence(mesh: Uint8Array): { silence: Silence; expiresAtMs: number } {
  let body: Uint8Array | undefined;
  let expiresAtMs = 0;
  for (const field of readFields(mesh)) {
    if (field.number === 1) body = field.bytes;
    if (field.number === 2) expiresAtMs = readTimestamp(field.bytes);
  }
  if (body === undefined) throw new NarthexError("bad_data", "silence is missing");
  return { silence: decodeBody(body), expiresAtMs };
}

function decodeBody(body: Uint8Array): Silence {
  const text = { 1: "", 8: "", 9: "" };
  const time = { 3: 0, 4: 0, 5: 0 };
  const matchers: Matcher[] = [];
  const matcherSets: Matcher[][] = [];
  const receiverMatcherSets: Matcher[][] = [];
  const annotations = new Map<string, string>();
  for (const { number, bytes } of readFields(body)) {
    if (number === 1 || number === 8 || number === 9) text[number] = readString(bytes);
    else if (number === 3 || number === 4 || number === 5) time[number] = readTimestamp(bytes);
    else if (number === 2) matchers.push(decodeMatcher(bytes));
    else if (number === 11) matcherSets.push(decodeMatcherSet(bytes));
    else if (number === 12) receiverMatcherSets.push(decodeMatcherSet(bytes));
    else if (number === 10) annotations.set(...decodePair(bytes));
    else if (number === 7) {
      // Before there was one comment there was a list of them.
      const [author, comment] = decodePair(bytes);
      text[8] ||= author;
      text[9] ||= comment;
    }
  }
  return {
    id: text[1],
    matcherSets: matcherSets.length > 0 ? matcherSets : [matchers],
    receiverMatcherSets,
    startsAtMs: time[3],
    endsAtMs: time[4],
    updatedAtMs: time[5],
    createdBy: text[8],
    comment: text[9],
    annotations,
  };
}

/** The first two fields, both strings. */
function decodePair(bytes: Uint8Array): [string, string] {
  let [first, second] = ["", ""];
  for (const field of readFields(bytes)) {
    if (field.number === 1) first = readString(field.bytes);
    if (field.number === 2) second = readString(field.bytes);
  }
  return [first, second];
}
