import {
  Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  visit,
} from "yaml";
import { NarthexError } from "../base/index.ts";

/** Values that the aliases of one document may stand for, all together; beyond this an anchor tree is an attack or a mistake. */
const aliasedValuesMax = 250_000;

/** A parsed file: what its places share. */
interface Source {
  readonly file: string;
  /** Relative file names inside the document start here. */
  readonly directory: string;
  readonly ignoresUnknownFields: boolean;
  readonly lines: LineCounter;
  readonly document: Document;
  /** What each alias stands for; found when the first is followed. */
  targets: ReadonlyMap<unknown, AliasTarget> | undefined;
  aliasedValues: number;
}

interface AliasTarget {
  readonly node: Node;
  /** How many there are in it, itself included, its own aliases not followed. */
  readonly valueCount: number;
  readonly isCyclic: boolean;
}

/** An alias stands for the last anchor of its name before it. Each anchor is looked at once, however many aliases there are. */
function aliasTargets(document: Document): Map<unknown, AliasTarget> {
  const anchors = new Map<string, Node>();
  const measured = new Map<Node, AliasTarget>();
  const targets = new Map<unknown, AliasTarget>();
  visit(document, {
    Alias: (_, alias) => {
      const node = anchors.get(alias.source);
      if (node === undefined) return;
      const target = measured.get(node) ?? measure(node);
      measured.set(node, target);
      targets.set(alias, target);
    },
    Value: (_, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

function measure(node: Node & { anchor?: string }): AliasTarget {
  let valueCount = 0;
  let isCyclic = false;
  visit(node, {
    Alias: (_, alias) => void (isCyclic ||= alias.source === node.anchor),
    Value: () => void valueCount++,
  });
  return { node, valueCount, isCyclic };
}

/**
 * A value in a YAML file and where it stands. Scalars stay text: what a text means is decided by who reads it (as in Go, where
 * `yes` is a boolean for a boolean field and a word for a string field).
 */
export class Place {
  readonly #source: Source;
  readonly #node: unknown;
  /** Where to point when there is no node of its own: an empty value's key, or the file's start. */
  readonly #offset: number;

  private constructor(source: Source, node: unknown, offset: number) {
    this.#source = source;
    this.#node = node;
    this.#offset = (node as { range?: [number] } | null)?.range?.[0] ?? offset;
  }

  /**
   * Reads one YAML document. Throws `bad_data` naming `file`, line and column when it is not YAML. `directory` is what relative
   * file names in it refer to; `ignoresUnknownFields` lets mappings have fields that nobody knows.
   */
  static parse(text: string, file: string, directory = ".", ignoresUnknownFields = false): Place {
    const lines = new LineCounter();
    const document = parseDocument(text, {
      lineCounter: lines,
      schema: "failsafe",
      uniqueKeys: false,
      strict: true,
      logLevel: "silent",
      prettyErrors: false,
    });
    const source: Source = {
      file,
      directory,
      ignoresUnknownFields,
      lines,
      document,
      targets: undefined,
      aliasedValues: 0,
    };
    const error = document.errors[0];
    const root = new Place(source, document.contents, 0);
    if (error) throw new Place(source, undefined, error.pos[0]).error(`yaml: ${error.message}`);
    return root;
  }

  get directory(): string {
    return this.#source.directory;
  }

  get ignoresUnknownFields(): boolean {
    return this.#source.ignoresUnknownFields;
  }

  /** `file:line:col`, both from 1. */
  toString(): string {
    const { line, col } = this.#source.lines.linePos(this.#offset);
    return `${this.#source.file}:${line}:${col}`;
  }

  error(message: string): NarthexError {
    return new NarthexError("bad_data", `${this.toString()}: ${message}`);
  }

  fail(message: string): never {
    throw this.error(message);
  }

  /** Nothing written, `~` or `null`. */
  isNull(): boolean {
    const node = this.#node;
    if (node === null || node === undefined) return true;
    if (!isScalar(node) || node.type !== Scalar.PLAIN) return false;
    return node.value === null || ["", "~", "null", "Null", "NULL"].includes(node.value as string);
  }

  /** The text of a scalar; `quoted` when it was written in quotes or as a block, and so is surely a string. */
  scalar(): { text: string; quoted: boolean } | undefined {
    const node = this.#node;
    if (!isScalar(node)) return undefined;
    const text = node.source ?? "";
    if (node.tag === "tag:yaml.org,2002:binary") return { text: this.#binary(text), quoted: true };
    return { text, quoted: node.type !== Scalar.PLAIN };
  }

  /** Bytes that are not UTF-8 become lone surrogates, which no valid name or value contains. */
  #binary(base64: string): string {
    const compact = base64.replaceAll(/\s/g, "");
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 !== 0) {
      this.fail("!!binary value contains invalid base64 data");
    }
    const bytes = Buffer.from(compact, "base64");
    const text = bytes.toString("utf8");
    if (Buffer.from(text, "utf8").equals(bytes)) return text;
    return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join("");
  }

  /** The items of a list, or undefined when this is none. */
  items(): Place[] | undefined {
    const node = this.#node;
    if (!isSeq(node)) return undefined;
    return node.items.map((item) => this.#follow(item, node.range?.[0] ?? this.#offset));
  }

  /** Key and value of each entry of a mapping, merges (`<<`) resolved, or undefined when this is none. Duplicate keys are kept. */
  entries(): { key: string; at: Place; value: Place }[] | undefined {
    const node = this.#node;
    if (!isMap(node)) return undefined;
    const own: { key: string; at: Place; value: Place }[] = [];
    const merged: typeof own = [];
    for (const pair of node.items) {
      const at: Place = this.#follow(pair.key, this.#offset);
      const key = at.scalar();
      if (!key) at.fail("keys of a mapping must be scalars");
      const value = this.#follow(pair.value, at.#offset);
      if (key.text === "<<" && !key.quoted) merged.push(...value.#mergeEntries());
      else own.push({ key: key.text, at, value });
    }
    const names = new Set(own.map(({ key }) => key));
    for (const entry of merged) {
      if (names.has(entry.key)) continue;
      names.add(entry.key);
      own.push(entry);
    }
    return own;
  }

  #mergeEntries(): { key: string; at: Place; value: Place }[] {
    const sources = this.items() ?? [this];
    return sources.flatMap(
      (source) => source.entries() ?? source.fail("map merge requires map or sequence of maps as the value"),
    );
  }

  #follow(node: unknown, offset: number): Place {
    if (!isAlias(node)) return new Place(this.#source, node, offset);
    const source = this.#source;
    const at = new Place(source, node, offset);
    const target = (source.targets ??= aliasTargets(source.document)).get(node);
    if (target === undefined) return at.fail(`unknown anchor '${node.source}' referenced`);
    if (target.isCyclic) at.fail(`anchor '${node.source}' value contains itself`);
    source.aliasedValues += target.valueCount;
    if (source.aliasedValues > aliasedValuesMax)
      at.fail(`aliases stand for more than ${aliasedValuesMax} values`);
    return new Place(source, target.node, offset);
  }

  /** What stands here, for errors: the tag Go's library would name and the value's beginning. */
  describe(): string {
    if (isMap(this.#node)) return "!!map";
    if (isSeq(this.#node)) return "!!seq";
    const scalar = this.scalar();
    if (!scalar) return "!!null";
    const shown = scalar.text.length > 10 ? `${scalar.text.slice(0, 7)}...` : scalar.text;
    return `${tagOf(scalar)} \`${shown}\``;
  }

  /** The document as plain values: objects, arrays, strings, numbers, booleans and null, read as YAML 1.2 reads them. */
  toPlain(): unknown {
    const items = this.items();
    if (items) return items.map((item) => item.toPlain());
    const entries = this.entries();
    if (entries) return Object.fromEntries(entries.map(({ key, value }) => [key, value.toPlain()]));
    if (this.isNull()) return null;
    const scalar = this.scalar()!;
    if (scalar.quoted) return scalar.text;
    if (scalar.text === "true" || scalar.text === "false") return scalar.text === "true";
    return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(scalar.text)
      ? Number(scalar.text)
      : scalar.text;
  }
}

function tagOf({ text, quoted }: { text: string; quoted: boolean }): string {
  if (quoted) return "!!str";
  if (/^[-+]?\d+$/.test(text)) return "!!int";
  if (/^[-+]?(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) return "!!float";
  return /^(?:true|false|yes|no|on|off)$/i.test(text) ? "!!bool" : "!!str";
}

/** Lists that upstream prints in one line. */
const inlineLists: ReadonlySet<unknown> = new Set(["source_labels"]);

/** Prints plain values as upstream's library does: two spaces, lists at their key's own column. */
export function encodeYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false, version: "1.1" });
  visit(document, {
    Pair: (_, { key, value: list }) => {
      if (isScalar(key) && inlineLists.has(key.value) && isSeq(list)) list.flow = true;
    },
  });
  return document.toString({ indentSeq: false, lineWidth: 0, flowCollectionPadding: false });
}
