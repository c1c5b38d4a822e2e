/** Results of tests in the format that build servers read. */
export class JunitReport {
  readonly #suites: JunitSuite[] = [];

  suite(name: string): JunitSuite {
    const suite = new JunitSuite(name);
    this.#suites.push(suite);
    return suite;
  }

  toXml(): string {
    return `<testsuites>${this.#suites.map((suite) => suite.toXml()).join("")}</testsuites>`;
  }
}

class JunitSuite {
  readonly #name: string;
  /** When it began, on the wall clock; empty when it never did. */
  #time = "";
  readonly #cases: { name: string; failures: readonly string[] }[] = [];
  #error: string | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  begin(timestampMs: number): void {
    const localMs = timestampMs - new Date(timestampMs).getTimezoneOffset() * 60_000;
    this.#time = new Date(localMs).toISOString().slice(0, 19);
  }

  case(name: string, failures: readonly string[]): void {
    this.#cases.push({ name, failures });
  }

  /** No case could be run. */
  abort(message: string): void {
    this.#error = message;
  }

  toXml(): string {
    const cases = this.#cases.map(({ name, failures }) => {
      const texts = failures.map((failure) => `<failure>${escape(failure)}</failure>`);
      return `<testcase name="${escape(name)}">${texts.join("")}</testcase>`;
    });
    if (this.#error !== undefined)
      cases.push(`<testcase name="unknown"><error>${escape(this.#error)}</error></testcase>`);
    const failures = this.#cases.reduce((sum, { failures }) => sum + failures.length, 0);
    const counts = `tests="${cases.length}" failures="${failures}" errors="${this.#error === undefined ? 0 : 1}" skipped="0"`;
    return `<testsuite name="${escape(this.#name)}" ${counts} timestamp="${this.#time}">${cases.join("")}</testsuite>`;
  }
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "\n": "&#xA;",
  "\t": "&#x9;",
  "\r": "&#xD;",
};

function escape(text: string): string {
  return Array.from(text, (character) => entities[character] ?? writable(character)).join("");
}

/** A character, or a stand-in where XML has no way to write it. */
function writable(character: string): string {
  return character < " " || character === "\ufffe" || character === "\uffff" ? "\ufffd" : character;
}
