/** The path to a place inside a value, as it stands in error messages: `cart.items[3].price`. */

/** An object key, an array index, or a ready-made step for what is neither. */
export type PathStep = string | number | (() => string);

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const FIELD_NAME = /^[\p{ID_Continue}$:-]+$/u;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
// A key may be as long as the field; a message must not be.
const MAX_SHOWN = 64;

/** `root` and the steps as one readable text, safe to log: nothing unprintable, nothing long. */
export function formatPath(root: string, steps: readonly PathStep[]): string {
  let path = root.length <= MAX_SHOWN && FIELD_NAME.test(root) ? root : quoteForPath(root);
  for (const step of steps) {
    if (typeof step === 'function') path += step();
    else if (typeof step === 'number') path += `[${step}]`;
    else if (step.length <= MAX_SHOWN && IDENTIFIER.test(step)) path += `.${step}`;
    else path += `[${quoteForPath(step)}]`;
  }
  return path;
}

/** How the place of a map's value is named: by its key where that is short, else by its number. */
export function showMapKey(key: unknown, index: number): string {
  if (typeof key === 'string') return `.get(${quoteForPath(key)})`;
  if (typeof key === 'number' || typeof key === 'boolean') return `.get(${key})`;
  return `.values()[${index}]`;
}

/** `text` in quotes, cut and escaped for a message. */
function quoteForPath(text: string): string {
  const shown = text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
  return JSON.stringify(shown).replace(UNPRINTABLE, (character) =>
    Array.from({ length: character.length }, (_, index) => escapeUnit(character, index)).join(''),
  );
}

function escapeUnit(text: string, index: number): string {
  return `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`;
}
