/**
 * Writes HTML whose values cannot break out of where they stand. The writer follows the template's own text through
 * tags, attributes, scripts and styles as it is written, so at each value it knows the place, whatever branches and
 * loops led there. HTML comments of the template are dropped.
 */
import { NarthexError } from "../../base/index.ts";
import { nodeText, type PipeNode } from "../ast.ts";
import type { Output } from "../execute.ts";
import type { Value } from "../value.ts";
import { attributeType, type AttributeType } from "./attribute.ts";
import * as escape from "./escaper.ts";
import { ScriptState } from "./script.ts";
import { StyleState } from "./style.ts";

type Place =
  | "text"
  | "comment"
  | "tagName"
  | "tag"
  | "attributeName"
  | "afterName"
  | "beforeValue"
  | "value"
  /** Inside an element whose content is not markup. */
  | "raw";

type RawElement = "script" | "style" | "textarea" | "title";

const RAW_ELEMENT = /^(?:script|style|textarea|title)$/;
const TAG_START = /<\/?[a-zA-Z]/g;

export class HtmlWriter implements Output {
  readonly #write: (text: string) => void;
  #place: Place = "text";
  #tagName = "";
  #element: RawElement | undefined;
  #attributeName = "";
  #attributeType: AttributeType = "plain";
  /** The quote that ends the attribute's value; "" when white space does. */
  #quote: '"' | "'" | "" = "";
  #urlPart: escape.UrlPart = "start";
  #script = new ScriptState();
  #style = new StyleState();

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  text(text: string): void {
    for (let rest = text; rest !== "";) {
      const before = this.#place;
      const length = this.#step(rest);
      const inComment = before === "comment" || this.#place === "comment";
      // A `<` that opens nothing is text; left as it is, a value behind it could make it open something.
      const stray = before === "text" && this.#place === "text";
      if (!inComment)
        this.#write(stray ? rest.slice(0, length).replace(/<(?!!)/g, "&lt;") : rest.slice(0, length));
      rest = rest.slice(length);
    }
  }

  /** Takes a piece off the front of `rest`, moves to the place behind it, and returns the piece's length. */
  #step(rest: string): number {
    switch (this.#place) {
      case "text":
        return this.#inText(rest);
      case "comment":
        return this.#inComment(rest);
      case "tagName":
        return this.#inTagName(rest);
      case "tag":
        return this.#inTag(rest);
      case "attributeName":
        return this.#inAttributeName(rest);
      case "afterName":
        return this.#afterName(rest);
      case "beforeValue":
        return this.#beforeValue(rest);
      case "value":
        return this.#inValue(rest);
      case "raw":
        return this.#inRaw(rest);
    }
  }

  #inText(rest: string): number {
    const comment = rest.indexOf("<!--");
    TAG_START.lastIndex = 0;
    const tag = TAG_START.exec(rest)?.index ?? -1;
    if (comment >= 0 && (tag < 0 || comment < tag)) {
      if (comment > 0) return comment;
      this.#place = "comment";
      return 4;
    }
    if (tag > 0) return tag;
    if (tag < 0) return rest.length;
    this.#place = "tagName";
    this.#tagName = rest[1] === "/" ? "/" : "";
    return 1 + this.#tagName.length;
  }

  #inComment(rest: string): number {
    const end = rest.indexOf("-->");
    if (end < 0) return rest.length;
    this.#place = "text";
    return end + 3;
  }

  /** `#tagName` holds what was read of it, a closing tag's slash included. */
  #inTagName(rest: string): number {
    const name = /^[^\s/>]*/.exec(rest)![0];
    this.#tagName += name;
    if (name.length < rest.length) this.#place = "tag";
    return name.length;
  }

  #inTag(rest: string): number {
    const space = /^[\s/]*/.exec(rest)![0];
    if (space !== "") return space.length;
    if (rest[0] === ">") return this.#endTag();
    this.#place = "attributeName";
    this.#attributeName = "";
    return 0;
  }

  #endTag(): number {
    const name = this.#tagName.toLowerCase();
    this.#element = RAW_ELEMENT.test(name) ? (name as RawElement) : undefined;
    this.#place = this.#element === undefined ? "text" : "raw";
    this.#script = new ScriptState();
    this.#style = new StyleState();
    return 1;
  }

  #inAttributeName(rest: string): number {
    // A name may begin with `=`; quotes and `<` inside one are errors that browsers take as part of it.
    const name = (this.#attributeName === "" ? /^=?[^\s=>/]*/ : /^[^\s=>/]*/).exec(rest)![0];
    this.#attributeName += name;
    if (name.length < rest.length) this.#place = "afterName";
    return name.length;
  }

  #afterName(rest: string): number {
    const space = /^\s*/.exec(rest)![0];
    if (space !== "") return space.length;
    if (rest[0] !== "=") {
      this.#place = "tag";
      return 0;
    }
    this.#place = "beforeValue";
    return 1;
  }

  #beforeValue(rest: string): number {
    const space = /^\s*/.exec(rest)![0];
    if (space !== "") return space.length;
    if (rest[0] === ">") {
      this.#place = "tag";
      return 0;
    }
    const quote = rest[0] === '"' || rest[0] === "'" ? rest[0] : "";
    this.#startValue(quote);
    return quote.length;
  }

  #startValue(quote: '"' | "'" | ""): void {
    this.#place = "value";
    this.#quote = quote;
    this.#attributeType = attributeType(this.#attributeName);
    this.#urlPart = "start";
    this.#script = new ScriptState();
    this.#style = new StyleState();
  }

  #inValue(rest: string): number {
    const end = this.#quote === "" ? rest.search(/[\s>]/) : rest.indexOf(this.#quote);
    const text = end < 0 ? rest : rest.slice(0, end);
    const decoded = decodeEntities(text);
    if (this.#attributeType === "url" || this.#attributeType === "srcset") {
      if (/[?#]/.test(decoded)) this.#urlPart = "query";
      else if (this.#urlPart === "start" && decoded.trim() !== "") this.#urlPart = "path";
    } else if (this.#attributeType === "js") this.#script.feed(decoded);
    else if (this.#attributeType === "css") this.#style.feed(decoded);
    if (end < 0) return rest.length;
    this.#place = "tag";
    return end + this.#quote.length;
  }

  #inRaw(rest: string): number {
    const end = rest.search(new RegExp(`</${this.#element}(?=[\\s/>]|$)`, "i"));
    const text = end < 0 ? rest : rest.slice(0, end);
    if (this.#element === "script") this.#script.feed(text);
    if (this.#element === "style") this.#style.feed(text);
    if (end !== 0) return text.length;
    this.#place = "tagName";
    this.#tagName = "/";
    return 2;
  }

  value(value: Value, pipe: PipeNode): void {
    this.#write(this.#escaped(value, pipe));
  }

  #escaped(value: Value, pipe: PipeNode): string {
    switch (this.#place) {
      case "text":
        return escape.htmlText(value);
      case "comment":
        return "";
      case "tagName":
        throw new NarthexError(
          "execution",
          `html/template: {{${nodeText(pipe)}}} stands in the name of an element, where no value is safe`,
        );
      case "tag":
      case "afterName":
      case "attributeName":
        return this.#nameValue(value);
      case "beforeValue":
        this.#startValue("");
        return this.#attributeValue(value);
      case "value":
        return this.#attributeValue(value);
      case "raw":
        if (this.#element === "script") return this.#scriptValue(value);
        return this.#element === "style" ? this.#styleValue(value) : escape.rcdata(value);
    }
  }

  #nameValue(value: Value): string {
    const name = escape.attributeName(value);
    this.#attributeName = this.#place === "attributeName" ? this.#attributeName + name : name;
    this.#place = "attributeName";
    return name;
  }

  #attributeValue(value: Value): string {
    const quoted = this.#quote !== "";
    switch (this.#attributeType) {
      case "url":
        return escape.attribute(escape.url(value, this.#urlPart), quoted);
      case "srcset":
        return escape.attribute(escape.srcset(value), quoted);
      case "js":
        return escape.attribute(this.#scriptValue(value), quoted);
      case "css":
        return escape.attribute(this.#styleValue(value), quoted);
      case "html":
        return escape.attribute(escape.htmlText(value), quoted);
      default:
        return escape.attribute(value, quoted);
    }
  }

  #scriptValue(value: Value): string {
    const { place } = this.#script;
    this.#script.value();
    switch (place) {
      case "code":
        return escape.scriptValue(value);
      case "template":
        return escape.scriptTemplate(value);
      case "regexp":
        return escape.scriptRegexp(value);
      case "comment":
        return "";
      default:
        return escape.scriptString(value);
    }
  }

  #styleValue(value: Value): string {
    const { place, quotedSoFar } = this.#style;
    this.#style.value();
    const part = quotedSoFar === "" ? "start" : /[?#]/.test(quotedSoFar) ? "query" : "path";
    switch (place) {
      case "code":
        return escape.styleValue(value);
      case "url":
        return escape.url(value, part);
      case "comment":
        return "";
      case "string":
        return escape.styleString(value, part);
    }
  }
}

const ENTITIES: Record<string, string> = { quot: '"', apos: "'", amp: "&", lt: "<", gt: ">" };

/** The entities that matter for following quotes and URLs. */
function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(quot|apos|amp|lt|gt));?/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[(name as string).toLowerCase()] ?? whole;
    const code = decimal === undefined ? parseInt(hex as string, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  });
}
