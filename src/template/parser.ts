/** Reads a template's text into named definitions. */
import { quoteGo } from "../model/index.ts";
import {
  type ActionNode,
  type BranchNode,
  type ChainNode,
  type CommandNode,
  type Definition,
  type FieldNode,
  type ListNode,
  type NumberNode,
  type OperandNode,
  type PipeNode,
  type Source,
  type StatementNode,
  type TemplateNode,
  type VariableNode,
  isEmpty,
  nodeText,
} from "./ast.ts";
import type { Token, TokenKind } from "./lexer.ts";
import { parseNumberLiteral, unquote, unquoteChar } from "./literal.ts";
import { TokenReader } from "./tokens.ts";

/** How deep blocks and parentheses may nest; the parser and the printer recurse that far. */
const NESTING_MAX = 500;

/** What ends a list of statements. */
type End = {
  readonly kind: "end" | "else";
  readonly text: string;
  readonly chained: "if" | "with" | undefined;
};

function isEnd(node: StatementNode | End): node is End {
  return node.kind === "end" || node.kind === "else";
}

/**
 * Parses `source` into its definitions: the text itself under its own name first, then those of `define` and `block`.
 * Throws `bad_data` with Go's message (`template: name:line: …`).
 */
export function parseTemplate(source: Source, hasFunction: (name: string) => boolean): Definition[] {
  return new Parser(source, hasFunction).parse();
}

class Parser {
  readonly #source: Source;
  readonly #hasFunction: (name: string) => boolean;
  readonly #tokens: TokenReader;
  readonly #definitions = new Map<string, Definition>();
  /** Names of the variables in scope, `$` first. */
  #variables: string[] = ["$"];
  #rangeDepth = 0;
  #nesting = 0;

  constructor(source: Source, hasFunction: (name: string) => boolean) {
    this.#source = source;
    this.#hasFunction = hasFunction;
    this.#tokens = new TokenReader(source);
  }

  parse(): Definition[] {
    const nodes: StatementNode[] = [];
    while (this.#tokens.peek().kind !== "eof") {
      if (this.#takeDefine()) continue;
      const node = this.#statement();
      if (isEnd(node)) return this.#tokens.fail(`unexpected ${node.text}`);
      nodes.push(node);
    }
    const root: ListNode = { kind: "list", offset: 0, nodes };
    const named = [...this.#definitions.values()];
    this.#define(this.#source.name, root);
    const own = this.#definitions.get(this.#source.name)!;
    return [own, ...named.filter((definition) => definition.name !== own.name)];
  }

  #nested<T>(read: () => T): T {
    if (this.#nesting >= NESTING_MAX) this.#tokens.fail("max expression depth exceeded");
    this.#nesting++;
    const result = read();
    this.#nesting--;
    return result;
  }

  // Definitions.

  #define(name: string, root: ListNode): void {
    const before = this.#definitions.get(name);
    if (before !== undefined && !isEmpty(before.root)) {
      if (!isEmpty(root)) this.#tokens.fail(`template: multiple definition of template ${quoteGo(name)}`);
      return;
    }
    this.#definitions.set(name, { name, root, source: this.#source });
  }

  /** `{{define}}` stands only at the top level. */
  #takeDefine(): boolean {
    if (this.#tokens.peek().kind !== "leftDelim") return false;
    const delimiter = this.#tokens.next();
    if (!this.#tokens.peekKeyword("define")) {
      this.#tokens.putBack(delimiter);
      return false;
    }
    this.#tokens.nextNonSpace();
    const context = "define clause";
    const name = this.#templateName(this.#tokens.expect(["string", "rawString"], context), context);
    this.#tokens.expect(["rightDelim"], context);
    this.#define(name, this.#ownBody(context));
    return true;
  }

  /** The body of a define or block: it sees none of the variables around it. */
  #ownBody(context: string): ListNode {
    const [variables, rangeDepth] = [this.#variables, this.#rangeDepth];
    this.#variables = ["$"];
    this.#rangeDepth = 0;
    const [body, end] = this.#nested(() => this.#statements());
    if (end.kind !== "end") this.#tokens.fail(`unexpected ${end.text} in ${context}`);
    this.#variables = variables;
    this.#rangeDepth = rangeDepth;
    return body;
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== "string" && token.kind !== "rawString") this.#tokens.unexpected(token, context);
    return unquote(token.text) ?? this.#tokens.fail("invalid syntax");
  }

  // Statements.

  #statements(): [ListNode, End] {
    const nodes: StatementNode[] = [];
    const { offset } = this.#tokens.peekNonSpace();
    while (this.#tokens.peekNonSpace().kind !== "eof") {
      const node = this.#statement();
      if (isEnd(node)) return [{ kind: "list", offset, nodes }, node];
      nodes.push(node);
    }
    this.#tokens.next();
    return this.#tokens.fail("unexpected EOF");
  }

  #statement(): StatementNode | End {
    const token = this.#tokens.nextNonSpace();
    if (token.kind === "text") return { kind: "text", offset: token.offset, text: token.text };
    if (token.kind !== "leftDelim") this.#tokens.unexpected(token, "input");
    this.#tokens.actionLine = token.line;
    const node = this.#action();
    this.#tokens.actionLine = 0;
    return node;
  }

  #action(): StatementNode | End {
    const first = this.#tokens.peekNonSpace();
    if (first.kind !== "keyword") {
      const action: ActionNode = {
        kind: "action",
        offset: first.offset,
        pipe: this.#pipeline("command", "rightDelim"),
      };
      return action;
    }
    this.#tokens.next();
    switch (first.text) {
      case "if":
      case "with":
      case "range":
        return this.#nested(() => this.#branch(first.text as BranchNode["kind"]));
      case "template":
        return this.#templateCall();
      case "block":
        return this.#block();
      case "break":
      case "continue":
        return this.#jump(first);
      case "end":
        this.#tokens.expect(["rightDelim"], "end");
        return { kind: "end", text: "{{end}}", chained: undefined };
      case "else":
        return this.#else();
      default:
        return this.#tokens.unexpected(first, "command");
    }
  }

  #else(): End {
    for (const chained of ["if", "with"] as const) {
      if (this.#tokens.peekKeyword(chained)) return { kind: "else", text: "{{else}}", chained };
    }
    this.#tokens.expect(["rightDelim"], "else");
    return { kind: "else", text: "{{else}}", chained: undefined };
  }

  #branch(kind: BranchNode["kind"]): BranchNode {
    const scope = this.#variables.length;
    const pipe = this.#pipeline(kind, "rightDelim");
    if (kind === "range") this.#rangeDepth++;
    const [body, end] = this.#statements();
    if (kind === "range") this.#rangeDepth--;
    let otherwise: ListNode | undefined;
    if (end.kind === "else" && end.chained === kind) {
      // `{{else if b}}…{{end}}` is `{{else}}{{if b}}…{{end}}{{end}}` with one end fewer to write.
      const { offset } = this.#tokens.nextNonSpace();
      otherwise = { kind: "list", offset, nodes: [this.#nested(() => this.#branch(kind))] };
    } else if (end.kind === "else") {
      const [list, last] = this.#statements();
      if (last.kind !== "end") this.#tokens.fail(`expected end; found ${last.text}`);
      otherwise = list;
    }
    this.#variables.length = scope;
    return { kind, offset: pipe.offset, pipe, body, otherwise };
  }

  #jump(token: Token): StatementNode {
    const kind = token.text as "break" | "continue";
    this.#tokens.expect(["rightDelim"], `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.#tokens.fail(`{{${kind}}} outside {{range}}`);
    return { kind, offset: token.offset };
  }

  #templateCall(): TemplateNode {
    const context = "template clause";
    const token = this.#tokens.nextNonSpace();
    const name = this.#templateName(token, context);
    if (this.#tokens.peekNonSpace().kind === "rightDelim") {
      this.#tokens.next();
      return { kind: "template", offset: token.offset, name, pipe: undefined };
    }
    return { kind: "template", offset: token.offset, name, pipe: this.#pipeline(context, "rightDelim") };
  }

  #block(): TemplateNode {
    const context = "block clause";
    const token = this.#tokens.nextNonSpace();
    const name = this.#templateName(token, context);
    const pipe = this.#pipeline(context, "rightDelim");
    this.#define(name, this.#ownBody(context));
    return { kind: "template", offset: token.offset, name, pipe };
  }

  // Expressions.

  #pipeline(context: string, end: "rightDelim" | "rightParen"): PipeNode {
    const { offset } = this.#tokens.peekNonSpace();
    const declarations: VariableNode[] = [];
    const isAssign = this.#declarations(context, declarations);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#tokens.peekNonSpace();
      if (token.kind === end) {
        this.#tokens.next();
        this.#checkPipeline(commands, context);
        return { kind: "pipe", offset, declarations, isAssign, commands };
      }
      if (!OPERAND_STARTS.has(token.kind)) {
        this.#tokens.next();
        this.#tokens.unexpected(token, context);
      }
      commands.push(this.#command());
    }
  }

  /** Reads `$x :=`, `$x =` or `$i, $x :=` if there; returns whether it assigns. */
  #declarations(context: string, declarations: VariableNode[]): boolean {
    while (this.#tokens.peekNonSpace().kind === "variable") {
      const variable = this.#tokens.next();
      const spaced = this.#tokens.peek().kind === "space" ? this.#tokens.next() : undefined;
      const token = this.#tokens.peekNonSpace();
      const comma = token.kind === "symbol" && token.text === ",";
      if (token.kind !== "assign" && token.kind !== "declare" && !comma) {
        this.#tokens.putBack(variable, ...(spaced === undefined ? [] : [spaced]));
        return false;
      }
      this.#tokens.next();
      declarations.push({ kind: "variable", offset: variable.offset, path: [variable.text] });
      this.#variables.push(variable.text);
      if (!comma) return token.kind === "assign";
      if (context !== "range" || declarations.length > 1)
        this.#tokens.fail(`too many declarations in ${context}`);
      const { kind } = this.#tokens.peekNonSpace();
      if (kind !== "variable" && kind !== "rightDelim" && kind !== "rightParen") {
        this.#tokens.fail("range can only initialize variables");
      }
    }
    return false;
  }

  #checkPipeline(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) this.#tokens.fail(`missing value for ${context}`);
    commands.forEach((command, i) => {
      if (i > 0 && ["bool", "dot", "nil", "number", "string"].includes(command.args[0]!.kind)) {
        this.#tokens.fail(`non executable command in pipeline stage ${i + 1}`);
      }
    });
  }

  #command(): CommandNode {
    const { offset } = this.#tokens.peekNonSpace();
    const args: OperandNode[] = [];
    for (;;) {
      this.#tokens.peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#tokens.peek();
      if (token.kind === "rightDelim" || token.kind === "rightParen") break;
      this.#tokens.next();
      if (token.kind === "pipe") break;
      if (token.kind !== "space") this.#tokens.unexpected(token, "operand");
    }
    if (args.length === 0) this.#tokens.fail("empty command");
    return { kind: "command", offset, args };
  }

  #operand(): OperandNode | undefined {
    const term = this.#term();
    if (term === undefined || this.#tokens.peek().kind !== "field") return term;
    const { offset } = this.#tokens.peek();
    const path: string[] = [];
    while (this.#tokens.peek().kind === "field") path.push(this.#tokens.next().text.slice(1));
    switch (term.kind) {
      case "field":
        return { ...term, offset, path: [...term.path, ...path] } satisfies FieldNode;
      case "variable":
        return { ...term, offset, path: [...term.path, ...path] } satisfies VariableNode;
      case "bool":
      case "string":
      case "number":
      case "nil":
      case "dot":
        return this.#tokens.fail(`unexpected . after term ${quoteGo(nodeText(term))}`);
      default:
        return { kind: "chain", offset, operand: term, path } satisfies ChainNode;
    }
  }

  #term(): OperandNode | undefined {
    const token = this.#tokens.peekNonSpace();
    if (!OPERAND_STARTS.has(token.kind)) return undefined;
    this.#tokens.next();
    const { offset, text } = token;
    switch (token.kind) {
      case "identifier":
        if (!this.#hasFunction(text)) this.#tokens.fail(`function ${quoteGo(text)} not defined`);
        return { kind: "identifier", offset, name: text };
      case "dot":
        return { kind: "dot", offset };
      case "nil":
        return { kind: "nil", offset };
      case "variable":
        if (!this.#variables.includes(text)) this.#tokens.fail(`undefined variable ${quoteGo(text)}`);
        return { kind: "variable", offset, path: [text] };
      case "field":
        return { kind: "field", offset, path: [text.slice(1)] };
      case "bool":
        return { kind: "bool", offset, value: text === "true" };
      case "number":
        return this.#number(token);
      case "char": {
        const code = unquoteChar(text);
        if (code === undefined) return this.#tokens.fail(`malformed character constant: ${text}`);
        return { kind: "number", offset, text, int: BigInt(code), float: code, isFloat: false };
      }
      case "leftParen":
        return this.#nested(() => this.#pipeline("parenthesized pipeline", "rightParen"));
      default:
        return {
          kind: "string",
          offset,
          quoted: text,
          text: unquote(text) ?? this.#tokens.fail("invalid syntax"),
        };
    }
  }

  #number({ offset, text }: Token): NumberNode {
    const number = parseNumberLiteral(text);
    if (number === "overflow") return this.#tokens.fail(`integer overflow: ${quoteGo(text)}`);
    if (number === "illegal") return this.#tokens.fail(`illegal number syntax: ${quoteGo(text)}`);
    return { kind: "number", offset, text, ...number };
  }
}

const OPERAND_STARTS: ReadonlySet<TokenKind> = new Set<TokenKind>([
  "bool",
  "char",
  "dot",
  "field",
  "identifier",
  "number",
  "nil",
  "rawString",
  "string",
  "variable",
  "leftParen",
]);
