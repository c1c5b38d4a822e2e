/** Runs `body` for about `budgetMs` and prints the fastest round's nanoseconds per item: other work on the machine only adds. */
export function measure(name: string, items: number, body: () => void, budgetMs = 1500): void {
  for (let i = 0; i < 3; i++) body();
  let fastest = Infinity;
  const end = performance.now() + budgetMs;
  while (performance.now() < end) {
    const start = performance.now();
    body();
    fastest = Math.min(fastest, performance.now() - start);
  }
  console.log(`${name.padEnd(56)} ${((fastest * 1e6) / items).toFixed(2).padStart(9)} ns per item`);
}
