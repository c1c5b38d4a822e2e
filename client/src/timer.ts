/** Observes, when the returned function is called, the seconds since now; the function returns them. */
export function startTimer(target: { observe(seconds: number): void }): () => number {
  const startMs = performance.now();
  return () => {
    const seconds = (performance.now() - startMs) / 1000;
    target.observe(seconds);
    return seconds;
  };
}
