/** What the server wrote into index.html. A placeholder that nobody replaced counts as not given. */
function given(name: string): string | undefined {
  const content = document.querySelector<HTMLMetaElement>(`meta[name="narthex-${name}"]`)?.content;
  return content === undefined || content === "" || content.endsWith("_PLACEHOLDER") ? undefined : content;
}

export const pageTitle = given("title") ?? "Narthex";
export const lookbackDelta = given("lookback-delta") ?? "5m";
/** False while the server is still opening its data, as it was when it sent the page. */
export const wasReady = given("ready") !== "false";

export const agentMode = given("agent-mode") === "true";

/**
 * The path under which the UI is mounted, without a trailing slash: "" or "/prefix".
 * `document.baseURI` is fixed when the page is parsed, so later navigation does not move it.
 */
export const basePath = new URL(".", document.baseURI).pathname.replace(/\/$/, "");
