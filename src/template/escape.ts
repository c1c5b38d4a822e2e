/** Escapers for text, without regard to where it goes; html/ chooses among them by place. */

const HTML: Record<string, string> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "&": "&amp;",
  "'": "&#39;",
  "<": "&lt;",
  ">": "&gt;",
};

/** For HTML text and quoted attributes, as text/template's `html` does it. */
export function htmlEscape(text: string): string {
  return text.replace(/[\0"&'<>]/g, (character) => HTML[character]!);
}

const JS: Record<string, string> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
};

/** For the inside of a JavaScript string, as text/template's `js` does it. */
export function jsStringEscape(text: string, isPrintable: (rune: string) => boolean): string {
  let out = "";
  for (const rune of text) {
    const code = rune.codePointAt(0)!;
    const escape = JS[rune];
    if (escape !== undefined) out += escape;
    else if (code < 0x20) out += `\\u00${code.toString(16).toUpperCase().padStart(2, "0")}`;
    else if (code < 0x80 || isPrintable(rune)) out += rune;
    else out += `\\u${code.toString(16).toUpperCase().padStart(4, "0")}`;
  }
  return out;
}

/** For a query parameter's value (Go's `url.QueryEscape`): space becomes `+`. */
export function queryEscape(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
