/**
 * Imports what the first argument names and says which of the optional packages were loaded on the
 * way, by `import` or by `require`.
 */
import { createRequire, register } from 'node:module';

const OPTIONAL =
  /^(ioredis|iovalkey|redis|pg|mongodb|passport|prom-client|express-session|rate-limiter-flexible|@opentelemetry\/api)(\/|$)/;

const hook = `
  const optional = ${OPTIONAL};
  export async function resolve(specifier, context, next) {
    if (optional.test(specifier)) throw new Error('imported ' + specifier);
    return next(specifier, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

await import(process.argv[2] ?? '');
const { cache } = createRequire(import.meta.url);
const required = Object.keys(cache)
  .map((path) => path.split('node_modules/').at(-1) ?? '')
  .filter((path) => OPTIONAL.test(path));
process.stdout.write(`required: ${JSON.stringify(required)}\n`);
