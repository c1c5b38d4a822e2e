/** The parsed form of templates, and its way back to text, which error messages quote. */
import { quoteGo } from "../model/index.ts";

interface At {
  /** Offset in UTF-16 units into the source the node came from. */
  readonly offset: number;
}

export type TextNode = At & { readonly kind: "text"; readonly text: string };
export type ActionNode = At & { readonly kind: "action"; readonly pipe: PipeNode };
export type BranchNode = At & {
  readonly kind: "if" | "with" | "range";
  readonly pipe: PipeNode;
  readonly body: ListNode;
  readonly otherwise: ListNode | undefined;
};
export type TemplateNode = At & {
  readonly kind: "template";
  readonly name: string;
  readonly pipe: PipeNode | undefined;
};
export type JumpNode = At & { readonly kind: "break" | "continue" };
export type ListNode = At & { readonly kind: "list"; readonly nodes: readonly StatementNode[] };
export type StatementNode = TextNode | ActionNode | BranchNode | TemplateNode | JumpNode;

export type PipeNode = At & {
  readonly kind: "pipe";
  readonly declarations: readonly VariableNode[];
  /** `=` rather than `:=`. */
  readonly isAssign: boolean;
  readonly commands: readonly CommandNode[];
};
export type CommandNode = At & { readonly kind: "command"; readonly args: readonly OperandNode[] };

export type IdentifierNode = At & { readonly kind: "identifier"; readonly name: string };
export type VariableNode = At & { readonly kind: "variable"; readonly path: readonly string[] };
export type FieldNode = At & { readonly kind: "field"; readonly path: readonly string[] };
export type ChainNode = At & {
  readonly kind: "chain";
  readonly operand: OperandNode;
  readonly path: readonly string[];
};
export type DotNode = At & { readonly kind: "dot" };
export type NilNode = At & { readonly kind: "nil" };
export type BoolNode = At & { readonly kind: "bool"; readonly value: boolean };
export type NumberNode = At & {
  readonly kind: "number";
  readonly text: string;
  /** Present when the constant is a whole number that fits an int64. */
  readonly int: bigint | undefined;
  readonly float: number;
  /** Whether its syntax makes it a float where no type is asked for. */
  readonly isFloat: boolean;
};
export type StringNode = At & { readonly kind: "string"; readonly quoted: string; readonly text: string };

export type OperandNode =
  | IdentifierNode
  | VariableNode
  | FieldNode
  | ChainNode
  | DotNode
  | NilNode
  | BoolNode
  | NumberNode
  | StringNode
  | PipeNode;

export type Node = StatementNode | ListNode | CommandNode | OperandNode;

/** One named template: its body, and the source that its offsets point into. */
export interface Definition {
  readonly name: string;
  readonly root: ListNode;
  readonly source: Source;
}

/** A parsed text; `name` is what error messages call it. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

export function nodeText(node: Node): string {
  switch (node.kind) {
    case "text":
      return node.text;
    case "list":
      return node.nodes.map(nodeText).join("");
    case "action":
      return `{{${nodeText(node.pipe)}}}`;
    case "if":
    case "with":
    case "range":
      return branchText(node);
    case "template":
      return `{{template ${quoteGo(node.name)}${node.pipe === undefined ? "" : ` ${nodeText(node.pipe)}`}}}`;
    case "break":
    case "continue":
      return `{{${node.kind}}}`;
    case "pipe":
      return pipeText(node);
    case "command":
      return node.args.map((arg) => (arg.kind === "pipe" ? `(${pipeText(arg)})` : nodeText(arg))).join(" ");
    case "identifier":
      return node.name;
    case "variable":
      return node.path.join(".");
    case "field":
      return node.path.map((name) => `.${name}`).join("");
    case "chain": {
      const operand = nodeText(node.operand);
      return (
        (node.operand.kind === "pipe" ? `(${operand})` : operand) +
        node.path.map((name) => `.${name}`).join("")
      );
    }
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "bool":
      return String(node.value);
    case "number":
      return node.text;
    case "string":
      return node.quoted;
  }
}

function pipeText(pipe: PipeNode): string {
  const names = pipe.declarations.map(nodeText).join(", ");
  const head = names === "" ? "" : `${names} ${pipe.isAssign ? "=" : ":="} `;
  return head + pipe.commands.map(nodeText).join(" | ");
}

function branchText(node: BranchNode): string {
  const otherwise = node.otherwise === undefined ? "" : `{{else}}${nodeText(node.otherwise)}`;
  return `{{${node.kind} ${pipeText(node.pipe)}}}${nodeText(node.body)}${otherwise}{{end}}`;
}

/** Whether nothing but white space would come of it; such a definition never replaces another. */
export function isEmpty(list: ListNode): boolean {
  return list.nodes.every((node) => node.kind === "text" && node.text.trim() === "");
}
