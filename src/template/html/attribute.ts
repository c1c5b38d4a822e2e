/** What the values of HTML attributes are, judged by name: the upper bound of what they could do. */
export type AttributeType = "plain" | "url" | "srcset" | "js" | "css" | "html" | "unsafe";

const URL_NAMES = new Set(
  "action archive background cite classid codebase data formaction href icon longdesc manifest poster profile src usemap xmlns".split(
    " ",
  ),
);

/** Values that change how the rest of the element or page is read. As attribute names they may not be computed. */
const UNSAFE_NAMES = new Set(
  "accept-charset async challenge charset content crossorigin defer enctype form formenctype formmethod formnovalidate http-equiv keytype language method novalidate pattern rel sandbox type value".split(
    " ",
  ),
);

/** The names that look like URLs by the heuristic below but hold something else. */
const PLAIN_NAMES = new Set(["srclang"]);

export function attributeType(attribute: string): AttributeType {
  let name = attribute.toLowerCase();
  if (name.startsWith("data-")) name = name.slice(5);
  else if (name.includes(":")) {
    if (name.startsWith("xmlns:")) return "url";
    name = name.slice(name.indexOf(":") + 1);
  }
  if (URL_NAMES.has(name)) return "url";
  if (UNSAFE_NAMES.has(name)) return "unsafe";
  if (PLAIN_NAMES.has(name)) return "plain";
  if (name === "style") return "css";
  if (name === "srcdoc") return "html";
  if (name === "srcset") return "srcset";
  if (name.startsWith("on")) return "js";
  return /src|uri|url/.test(name) ? "url" : "plain";
}
