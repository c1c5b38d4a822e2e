/** Walks a parsed template over data and writes what comes of it. */
import { NarthexError } from "../base/index.ts";
import { quoteGo } from "../model/index.ts";
import {
  type BranchNode,
  type ChainNode,
  type CommandNode,
  type Definition,
  type FieldNode,
  type IdentifierNode,
  type ListNode,
  type Node,
  type OperandNode,
  type PipeNode,
  type StatementNode,
  type TemplateNode,
  type VariableNode,
  nodeText,
} from "./ast.ts";
import { constantFor, untypedNumber } from "./constant.ts";
import { sprint } from "./format.ts";
import {
  ListValue,
  MapValue,
  type ParamType,
  StructValue,
  type TemplateFunction,
  truth,
  TypedValue,
  typeName,
  types,
  type FunctionMap,
  type Value,
} from "./value.ts";

/** Takes what a template writes: its own text as it stands, and values to be printed (and, in HTML, escaped). */
export interface Output {
  text(text: string): void;
  value(value: Value, pipe: PipeNode): void;
}

/** What a lookup of an absent map key gives: the element type's zero value, or an error. */
export type MissingKey = "zero" | "error";

export interface ExecuteOptions {
  readonly definitions: ReadonlyMap<string, Definition>;
  readonly functions: FunctionMap;
  readonly missingKey: MissingKey;
  readonly output: Output;
}

/** How deep `{{template}}` calls may nest. */
const CALL_DEPTH_MAX = 200;
/** How many nodes one execution may visit; ends `{{range 1000000000}}` and nested loops. */
const STEPS_MAX = 5_000_000;

/** Runs the definition `name` with `data` as dot. Throws `execution` with Go's message. */
export function execute(options: ExecuteOptions, name: string, data: Value): void {
  const definition = options.definitions.get(name);
  if (definition === undefined) {
    throw new NarthexError("execution", `template: no template ${quoteGo(name)} defined`);
  }
  new Execution(options, { steps: 0 }, definition, 0, data).run(data);
}

/** An argument that a pipeline's previous stage did not give. */
const MISSING = Symbol("missing");
type Final = Value | typeof MISSING;

/** How a list of statements ended. */
type Outcome = "done" | "break" | "continue";

/** The running of one definition; each `{{template}}` starts another. */
class Execution {
  readonly #options: ExecuteOptions;
  readonly #budget: { steps: number };
  readonly #definition: Definition;
  readonly #depth: number;
  readonly #variables: { name: string; value: Value }[];
  /** The node being evaluated, for error messages. */
  #node: Node | undefined;

  constructor(
    options: ExecuteOptions,
    budget: { steps: number },
    definition: Definition,
    depth: number,
    data: Value,
  ) {
    this.#options = options;
    this.#budget = budget;
    this.#definition = definition;
    this.#depth = depth;
    this.#variables = [{ name: "$", value: data }];
  }

  run(dot: Value): void {
    this.#list(this.#definition.root, dot);
  }

  #fail(message: string): never {
    const { name, source } = this.#definition;
    if (this.#node === undefined) throw new NarthexError("execution", `template: ${name}: ${message}`);
    const before = source.text.slice(0, this.#node.offset);
    const line = before.split("\n").length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf("\n") + 1));
    const place = `${source.name}:${line}:${column}: executing ${quoteGo(name)} at <${nodeText(this.#node)}>`;
    throw new NarthexError("execution", `template: ${place}: ${message}`);
  }

  #list(list: ListNode, dot: Value): Outcome {
    for (const node of list.nodes) {
      const outcome = this.#statement(node, dot);
      if (outcome !== "done") return outcome;
    }
    return "done";
  }

  #statement(node: StatementNode, dot: Value): Outcome {
    this.#node = node;
    if (++this.#budget.steps > STEPS_MAX) this.#fail(`exceeded maximum number of steps (${STEPS_MAX})`);
    switch (node.kind) {
      case "text":
        this.#options.output.text(node.text);
        return "done";
      case "action": {
        const value = this.#pipeline(dot, node.pipe);
        if (node.pipe.declarations.length > 0) return "done";
        this.#node = node;
        this.#options.output.value(value, node.pipe);
        return "done";
      }
      case "if":
      case "with":
        return this.#ifOrWith(node, dot);
      case "range":
        return this.#range(node, dot);
      case "template":
        this.#call(node, dot);
        return "done";
      default:
        return node.kind;
    }
  }

  #ifOrWith(node: BranchNode, dot: Value): Outcome {
    const mark = this.#variables.length;
    const value = this.#pipeline(dot, node.pipe);
    let outcome: Outcome = "done";
    if (truth(value)) outcome = this.#list(node.body, node.kind === "with" ? value : dot);
    else if (node.otherwise !== undefined) outcome = this.#list(node.otherwise, dot);
    this.#variables.length = mark;
    return outcome;
  }

  #range(node: BranchNode, dot: Value): Outcome {
    const outer = this.#variables.length;
    const value = this.#pipeline(dot, node.pipe);
    const mark = this.#variables.length;
    let empty = true;
    for (const [index, element] of this.#elements(value, node)) {
      empty = false;
      if (++this.#budget.steps > STEPS_MAX) this.#fail(`exceeded maximum number of steps (${STEPS_MAX})`);
      this.#bindRange(node.pipe, index, element, mark);
      const outcome = this.#list(node.body, element);
      this.#variables.length = mark;
      if (outcome === "break") break;
    }
    const outcome = empty && node.otherwise !== undefined ? this.#list(node.otherwise, dot) : "done";
    this.#variables.length = outer;
    return outcome;
  }

  *#elements(value: Value, node: BranchNode): Generator<[Value, Value]> {
    if (value === undefined || value === null) return;
    if (typeof value === "bigint") {
      if (node.pipe.declarations.length > 1) {
        this.#fail(`can't use ${value} to iterate over more than one variable`);
      }
      for (let i = 0n; i < value; i++) yield [undefined, i];
    } else if (value instanceof ListValue) {
      for (let i = 0; i < value.items.length; i++) yield [BigInt(i), value.items[i]];
    } else if (value instanceof MapValue) {
      for (const key of value.sortedKeys()) yield [key, value.entries.get(key)];
    } else {
      this.#fail(`range can't iterate over ${sprint([value])}`);
    }
  }

  /** With one variable it is the element; with two, the first is the index. */
  #bindRange(pipe: PipeNode, index: Value, element: Value, mark: number): void {
    const { declarations, isAssign } = pipe;
    const values = declarations.length > 1 ? [index, element] : [element];
    declarations.forEach((declaration, i) => {
      const name = declaration.path[0]!;
      if (isAssign) this.#assign(name, values[i]);
      else this.#variables[mark - declarations.length + i] = { name, value: values[i] };
    });
  }

  #call(node: TemplateNode, dot: Value): void {
    this.#node = node;
    const definition = this.#options.definitions.get(node.name);
    if (definition === undefined) this.#fail(`template ${quoteGo(node.name)} not defined`);
    if (this.#depth >= CALL_DEPTH_MAX) this.#fail(`exceeded maximum template depth (${CALL_DEPTH_MAX})`);
    const data = node.pipe === undefined ? undefined : this.#pipeline(dot, node.pipe);
    new Execution(this.#options, this.#budget, definition, this.#depth + 1, data).run(data);
  }

  // Variables.

  #lookUp(name: string): Value {
    const variable = this.#variables.findLast((candidate) => candidate.name === name);
    return variable === undefined ? this.#fail(`undefined variable: ${name}`) : variable.value;
  }

  #assign(name: string, value: Value): void {
    const variable = this.#variables.findLast((candidate) => candidate.name === name);
    if (variable === undefined) this.#fail(`undefined variable: ${name}`);
    else variable.value = value;
  }

  // Pipelines.

  #pipeline(dot: Value, pipe: PipeNode): Value {
    this.#node = pipe;
    let value: Final = MISSING;
    for (const command of pipe.commands) {
      const result: Value = this.#command(dot, command, value);
      // An interface holding nil has no value of its own to pass on.
      value = result === null ? undefined : result;
    }
    const result = value === MISSING ? undefined : value;
    for (const declaration of pipe.declarations) {
      const name = declaration.path[0]!;
      if (pipe.isAssign) this.#assign(name, result);
      else this.#variables.push({ name, value: result });
    }
    return result;
  }

  #command(dot: Value, command: CommandNode, final: Final): Value {
    const first = command.args[0]!;
    switch (first.kind) {
      case "field":
        return this.#fieldNode(dot, first, command.args, final);
      case "chain":
        return this.#chainNode(dot, first, command.args, final);
      case "identifier":
        return this.#function(dot, first, command, command.args, final);
      case "pipe":
        this.#notAFunction(command.args, final);
        return this.#pipeline(dot, first);
      case "variable":
        return this.#variableNode(dot, first, command.args, final);
    }
    this.#node = first;
    this.#notAFunction(command.args, final);
    switch (first.kind) {
      case "bool":
        return first.value;
      case "dot":
        return dot;
      case "nil":
        return this.#fail("nil is not a command");
      case "number":
        return untypedNumber(first);
      case "string":
        return first.text;
    }
  }

  #notAFunction(args: readonly OperandNode[], final: Final): void {
    if (args.length > 1 || final !== MISSING) {
      this.#fail(`can't give argument to non-function ${nodeText(args[0]!)}`);
    }
  }

  #variableNode(dot: Value, node: VariableNode, args: readonly OperandNode[], final: Final): Value {
    this.#node = node;
    const value = this.#lookUp(node.path[0]!);
    if (node.path.length === 1) {
      if (args.length > 0) this.#notAFunction(args, final);
      return value;
    }
    return this.#path(dot, value, node, node.path.slice(1), args, final);
  }

  #fieldNode(dot: Value, node: FieldNode, args: readonly OperandNode[], final: Final): Value {
    this.#node = node;
    return this.#path(dot, dot, node, node.path, args, final);
  }

  #chainNode(dot: Value, node: ChainNode, args: readonly OperandNode[], final: Final): Value {
    this.#node = node;
    if (node.operand.kind === "nil") this.#fail(`indirection through explicit nil in ${nodeText(node)}`);
    const value = this.#argument(dot, types.any, node.operand);
    return this.#path(dot, value, node, node.path, args, final);
  }

  /** Walks `.A.B.C` from `start`; only the last may take arguments. */
  #path(
    dot: Value,
    start: Value,
    node: Node,
    path: readonly string[],
    args: readonly OperandNode[],
    final: Final,
  ): Value {
    let value = start;
    path.forEach((name, i) => {
      const last = i === path.length - 1;
      value = this.#field(dot, name, node, last ? args : [], last ? final : MISSING, value);
    });
    return value;
  }

  #field(
    dot: Value,
    name: string,
    node: Node,
    args: readonly OperandNode[],
    final: Final,
    receiver: Value,
  ): Value {
    if (receiver === undefined) {
      if (this.#options.missingKey === "error") this.#fail(`nil data; no entry for key ${quoteGo(name)}`);
      return undefined;
    }
    if (receiver === null) return this.#fail(`nil pointer evaluating interface {}.${name}`);
    const type = typeName(receiver);
    if (receiver instanceof TypedValue) {
      const method = receiver.method(name);
      if (method !== undefined) return this.#invoke(dot, method, node, name, args, final);
    }
    const hasArguments = args.length > 1 || final !== MISSING;
    if (receiver instanceof StructValue && receiver.fields.has(name)) {
      if (hasArguments) this.#fail(`${name} has arguments but cannot be invoked as function`);
      return receiver.fields.get(name);
    }
    if (receiver instanceof MapValue) {
      if (hasArguments) this.#fail(`${name} is not a method but has arguments`);
      if (receiver.entries.has(name)) return receiver.entries.get(name);
      if (this.#options.missingKey === "error") this.#fail(`map has no entry for key ${quoteGo(name)}`);
      return receiver.zero;
    }
    return this.#fail(`can't evaluate field ${name} in type ${type}`);
  }

  // Functions.

  #function(
    dot: Value,
    node: IdentifierNode,
    command: Node,
    args: readonly OperandNode[],
    final: Final,
  ): Value {
    this.#node = node;
    const callee = this.#options.functions.get(node.name);
    if (callee === undefined) return this.#fail(`${quoteGo(node.name)} is not a defined function`);
    return this.#invoke(dot, callee, command, node.name, args, final);
  }

  /** Calls `callee`; `args` holds the function's own node first, as written. */
  #invoke(
    dot: Value,
    callee: TemplateFunction,
    node: Node,
    name: string,
    args: readonly OperandNode[],
    final: Final,
  ): Value {
    const { params, variadic } = callee;
    const given = args.slice(1);
    const count = given.length + (final === MISSING ? 0 : 1);
    if (variadic === undefined && count !== params.length) {
      this.#fail(`wrong number of args for ${name}: want ${params.length} got ${count}`);
    }
    if (variadic !== undefined && count < params.length) {
      this.#fail(`wrong number of args for ${name}: want at least ${params.length} got ${given.length}`);
    }
    const typeAt = (i: number): ParamType => params[i] ?? variadic!;
    if (callee.shortCircuit !== undefined) return this.#shortCircuit(dot, callee.shortCircuit, given, final);
    const values: Value[] = given.map((arg, i) => this.#argument(dot, typeAt(i), arg));
    if (final !== MISSING) values.push(this.#checked(final, typeAt(values.length)));
    try {
      return (callee.call as (...values: Value[]) => Value)(...values);
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      this.#node = node;
      return this.#fail(`error calling ${name}: ${error.message}`);
    }
  }

  /** `and` and `or` evaluate no more arguments than they need. */
  #shortCircuit(dot: Value, until: boolean, args: readonly OperandNode[], final: Final): Value {
    let value: Value;
    for (const arg of args) {
      value = this.#argument(dot, types.any, arg);
      if (truth(value) === until) return value;
    }
    return final === MISSING ? value : final;
  }

  #argument(dot: Value, type: ParamType, node: OperandNode): Value {
    this.#node = node;
    switch (node.kind) {
      case "dot":
        return this.#checked(dot, type);
      case "nil":
        return type.nilable ? null : this.#fail(`cannot assign nil to ${type.name}`);
      case "field":
        return this.#checked(this.#fieldNode(dot, node, [], MISSING), type);
      case "variable":
        return this.#checked(this.#variableNode(dot, node, [], MISSING), type);
      case "pipe":
        return this.#checked(this.#pipeline(dot, node), type);
      case "identifier":
        return this.#checked(this.#function(dot, node, node, [], MISSING), type);
      case "chain":
        return this.#checked(this.#chainNode(dot, node, [], MISSING), type);
      default:
        return constantFor(type, node, (message) => this.#fail(message));
    }
  }

  #checked(value: Value, type: ParamType): Value {
    if (value === undefined || value === null) {
      return type.nilable ? null : this.#fail(`invalid value; expected ${type.name}`);
    }
    if (type.accepts(value)) return value;
    return this.#fail(`wrong type for value; expected ${type.name}; got ${typeName(value)}`);
  }
}
