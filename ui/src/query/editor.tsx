/** The PromQL editor. It is the largest part of the page's script, so it is loaded only where a query is written. */
import {
  acceptCompletion,
  closeCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionStatus,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import {
  newCompleteStrategy,
  PromQLExtension,
  type CompleteStrategy,
} from "@prometheus-io/codemirror-promql";
import { useEffect, useRef } from "react";
import { basePath } from "../base/page-globals.ts";
import { historySetting } from "../base/settings.ts";
import { editorPlaceholder, type EditorProps } from "./plain-editor.tsx";

export default function Editor({
  value,
  onChange,
  onRun,
  autoFocus,
  insertRef,
}: EditorProps): React.JSX.Element {
  const hostRef = useRef<HTMLDivElement>(null);
  const viewRef = useRef<EditorView | null>(null);
  const latest = useRef({ onChange, onRun });
  latest.current = { onChange, onRun };

  useEffect(() => {
    const promql = new PromQLExtension().setComplete({ completeStrategy: withHistory(remoteCompletion()) });
    const view = new EditorView({
      parent: hostRef.current!,
      state: EditorState.create({
        doc: value,
        extensions: [
          extensions,
          promql.asExtension(),
          Prec.high(
            keymap.of([
              { key: "Alt-Enter", run: insertNewlineAndIndent },
              ...["Enter", "Shift-Enter", "Mod-Enter", "Ctrl-Enter"].map((key) => ({ key, run: runQuery })),
              { key: "Escape", run: leave },
            ]),
          ),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    function runQuery(): boolean {
      closeCompletion(view);
      latest.current.onRun(view.state.doc.toString());
      return true;
    }
    viewRef.current = view;
    insertRef.current = (text) => {
      view.dispatch(view.state.replaceSelection(text));
      view.focus();
    };
    if (autoFocus) view.focus();
    return () => {
      promql.destroy();
      view.destroy();
      viewRef.current = null;
      insertRef.current = null;
    };
  }, []);

  useEffect(() => {
    const view = viewRef.current;
    if (view === null || view.state.doc.toString() === value) return;
    view.dispatch({
      changes: { from: 0, to: view.state.doc.length, insert: value },
      selection: { anchor: value.length },
    });
  }, [value]);

  return <div ref={hostRef} className="editor" />;
}

function leave(view: EditorView): boolean {
  if (completionStatus(view.state) !== null) return false;
  view.contentDOM.blur();
  return true;
}

const colors = HighlightStyle.define([
  { tag: [tags.name, tags.variableName], color: "var(--text)" },
  { tag: tags.labelName, color: "var(--syntax-label)" },
  { tag: tags.string, color: "var(--syntax-string)" },
  { tag: tags.number, color: "var(--syntax-number)" },
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword, tags.bool], color: "var(--syntax-keyword)" },
  { tag: tags.function(tags.variableName), color: "var(--syntax-function)" },
  { tag: tags.comment, color: "var(--text-dim)", fontStyle: "italic" },
  {
    tag: [tags.operator, tags.paren, tags.brace, tags.squareBracket, tags.separator],
    color: "var(--text-dim)",
  },
  { tag: tags.invalid, color: "var(--bad)" },
]);

const extensions = [
  history(),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  autocompletion({ icons: false, maxRenderedOptions: 100 }),
  syntaxHighlighting(colors),
  EditorView.lineWrapping,
  EditorView.contentAttributes.of({ "aria-label": "PromQL expression", spellcheck: "false" }),
  placeholder(editorPlaceholder),
  keymap.of([
    { key: "Tab", run: acceptCompletion },
    ...closeBracketsKeymap,
    ...defaultKeymap,
    ...historyKeymap,
    ...lintKeymap,
  ]),
];

const remoteCompletion = (): CompleteStrategy =>
  newCompleteStrategy({
    remote: {
      url: basePath,
      httpMethod: "POST",
      cache: { maxAge: 60_000 },
      httpErrorHandler: () => undefined,
    },
  });

/** Before anything is written, or with Ctrl+Space at the start, past queries come first. */
function withHistory(inner: CompleteStrategy): CompleteStrategy {
  return {
    destroy: () => inner.destroy?.(),
    async promQL(context: CompletionContext): Promise<CompletionResult | null> {
      const result = await inner.promQL(context);
      const past = historySetting.get();
      const isWholeText =
        context.state.doc.length === 0 || (result !== null && result.from === 0 && context.explicit);
      if (past.length === 0 || !isWholeText) return result;
      const options = past.map((expr, index) => ({
        label: expr.length < 80 ? expr : `${expr.slice(0, 77)}…`,
        apply: expr,
        detail: "past query",
        boost: 99 - index,
        info: expr.length < 80 ? undefined : expr,
      }));
      return { from: 0, filter: true, ...result, options: [...options, ...(result?.options ?? [])] };
    },
  };
}
