import { performance } from 'node:perf_hooks';

/** Milliseconds that one call took. */
export async function timed(operation) {
  const begun = performance.now();
  await operation();
  return performance.now() - begun;
}

export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values) {
  return quantile(values, 0.5);
}

/** Runs `work` for 0 to `count - 1`, so many at a time. */
export async function inParallel(count, width, work) {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

export function round(value, digits = 3) {
  return Number(value.toFixed(digits));
}
