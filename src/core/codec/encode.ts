import { types } from 'node:util';

import { encodeBytes, isBareBinary } from './binary.js';
import { MAX_INSTANT, MINUS_ZERO, TAG, TAG_MARK, binaryTag, isForbiddenKey } from './grammar.js';
import { binaryKindOf, isDatePrototype, isDisguised, isPrototypeOf } from './kinds.js';
import { type FieldLimits, exceedsBytes } from './limits.js';
import { showMapKey } from './path.js';
import { Walk } from './walk.js';

const ACCESSOR = 'is a getter or setter; pass a plain copy';
const TO_JSON = 'has a toJSON method; pass a plain copy';
const HIDDEN = 'is not enumerable';
const EXTRAS = 'has properties of its own';

// Much faster than getOwnPropertyDescriptor, and runs no getter either.
const lookupGetter: (this: object, key: PropertyKey) => unknown = Object.getOwnPropertyDescriptor(
  Object.prototype,
  '__lookupGetter__',
)?.value;

/**
 * Encodes one value, once: a walk checks it and replaces what JSON does not have by tags, then
 * `JSON.stringify` writes it. The walk answers a part that is plain JSON as it is, so that an
 * ordinary value is not copied.
 *
 * The walk stops as soon as a limit is passed, and it runs no code of the value: no getter, no
 * `toJSON`, no iterator of its own, no proxy trap. Nothing is left that `JSON.stringify` could run.
 */
export class FieldEncoder {
  private readonly walk: Walk;

  constructor(
    root: string,
    private readonly limits: FieldLimits,
  ) {
    this.walk = new Walk(root, limits);
  }

  /** The text of a whole field. */
  field(value: unknown): string {
    if (value === undefined) this.walk.refuse(0, 'is undefined; delete the field instead');
    return this.write(this.plain(value, 0), 0);
  }

  /** The text of an item to be appended to an array; the array around it counts for the limits. */
  item(value: unknown): string {
    this.walk.step(0, () => '[]');
    this.walk.spendNodes(1);
    this.walk.checkDepth(0);
    return this.write(this.plain(value, 1), 2);
  }

  private write(plain: unknown, around: number): string {
    const text = JSON.stringify(plain);
    if (exceedsBytes(text, this.limits.maxFieldBytes - around)) this.walk.refuseBytes();
    return text;
  }

  private plain(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        this.walk.spendBytes(value.length + 2);
        return value;
      case 'number':
        return this.number(value, depth);
      case 'boolean':
        this.walk.spendBytes(4);
        return value;
      case 'object':
        this.walk.spendBytes(2);
        return value === null ? value : this.object(value, depth);
      case 'undefined':
        return this.tag(TAG.undefined, true);
      case 'bigint':
        return this.bigint(value);
      default:
        return this.walk.refuse(depth, `is a ${typeof value}; only data can be kept`);
    }
  }

  private number(value: number, depth: number): unknown {
    if (!Number.isFinite(value)) {
      this.walk.refuse(depth, `is ${value}; only finite numbers can be kept`);
    }
    this.walk.spendBytes(1);
    return Object.is(value, -0) ? this.tag(TAG.number, MINUS_ZERO) : value;
  }

  private bigint(value: bigint): unknown {
    // 16^n has more than n decimal digits: never print a number that cannot fit anyway.
    if (BigInt.asIntN(4 * this.walk.bytesLeft + 1, value) !== value) this.walk.refuseBytes();
    return this.tag(TAG.bigint, String(value));
  }

  private object(value: object, depth: number): unknown {
    // First of all, because everything below would run the traps.
    if (types.isProxy(value)) this.walk.refuse(depth, 'is a Proxy; pass a plain copy');
    const prototype: object | null = Object.getPrototypeOf(value);
    if (Array.isArray(value)) return this.array(value, prototype, depth);
    if (prototype === Object.prototype || prototype === null) return this.record(value, depth);
    if (types.isDate(value) && isDatePrototype(prototype)) return this.date(value, depth);
    if (types.isMap(value) && isPrototypeOf(Map, prototype)) return this.map(value, depth);
    if (types.isSet(value) && isPrototypeOf(Set, prototype)) return this.set(value, depth);
    if (types.isArrayBufferView(value) || types.isAnyArrayBuffer(value)) {
      return this.binary(value, depth);
    }
    if (isPrototypeOf(Object, prototype)) return this.record(value, depth);
    return this.walk.refuseInstance(value, depth);
  }

  private record(value: object, depth: number): unknown {
    this.walk.enter(value, depth);
    const keys = Object.getOwnPropertyNames(value);
    this.walk.spendNodes(keys.length);
    this.walk.checkSymbols(value, depth);
    // An own one is data or refused below; JSON.stringify would call an inherited one.
    if ('toJSON' in value && !Object.hasOwn(value, 'toJSON')) this.walk.refuse(depth, TO_JSON);
    if (isDisguised(value, keys.length)) {
      this.walk.refuse(depth, 'is a built-in object with a replaced prototype');
    }
    const hidden = Object.keys(value).length !== keys.length;
    const escaped = keys.length === 1 && keys[0]?.startsWith(TAG_MARK) === true;
    // JSON.stringify writes what JSON.rawJSON made as it is; a copy is an ordinary object.
    let copy = keys[0] === 'rawJSON' ? entriesOf(value, []) : undefined;
    for (const key of keys) {
      this.walk.step(depth, key);
      this.walk.spendBytes(key.length + 3);
      const item = this.property(value, key, depth + 1);
      if (hidden && !Object.prototype.propertyIsEnumerable.call(value, key)) {
        this.walk.refuse(depth + 1, HIDDEN);
      }
      const plain = this.plain(item, depth + 1);
      if (escaped) return { __proto__: null, [TAG_MARK + key]: plain };
      if (plain !== item) copy ??= entriesOf(value, keys.slice(0, keys.indexOf(key)));
      if (copy !== undefined) copy[key] = plain;
    }
    return copy ?? value;
  }

  private property(value: object, key: string, depth: number): unknown {
    if (isForbiddenKey(key)) this.walk.refuse(depth, 'is a key that is not allowed');
    if (lookupGetter.call(value, key) !== undefined) this.walk.refuse(depth, ACCESSOR);
    const item: unknown = (value as Record<string, unknown>)[key];
    if (item === undefined) this.checkPresent(value, key, depth);
    return item;
  }

  private array(list: readonly unknown[], prototype: object | null, depth: number): unknown {
    if (!isPrototypeOf(Array, prototype)) this.walk.refuseInstance(list, depth);
    this.walk.enter(list, depth);
    const length = list.length;
    this.walk.spendNodes(length);
    this.walk.checkSymbols(list, depth);
    if ('toJSON' in list) this.walk.refuse(depth, TO_JSON);
    let copy: unknown[] | undefined;
    for (let index = 0; index < length; index += 1) {
      this.walk.step(depth, index);
      if (index > 0) this.walk.spendBytes(1);
      if (lookupGetter.call(list, index) !== undefined) this.walk.refuse(depth + 1, ACCESSOR);
      const item = list[index];
      if (item === undefined) this.checkPresent(list, index, depth + 1);
      const plain = this.plain(item, depth + 1);
      if (plain !== item) copy ??= itemsBefore(list, index);
      if (copy !== undefined) copy.push(plain);
    }
    // Non-enumerable extras are not looked for: listing them costs more than the whole encoding.
    if (Object.keys(list).length !== length) {
      this.walk.refuse(depth, 'is an array with properties besides its items');
    }
    return copy ?? list;
  }

  private checkPresent(holder: object, key: PropertyKey, depth: number): void {
    const property = Object.getOwnPropertyDescriptor(holder, key);
    if (property === undefined) this.walk.refuse(depth, 'is a hole in a sparse array');
    if (!('value' in property)) this.walk.refuse(depth, ACCESSOR);
  }

  private date(value: Date, depth: number): unknown {
    // Not checkBare: dates made by fake timers have a non-enumerable property.
    this.walk.checkSymbols(value, depth);
    if (Object.keys(value).length > 0) this.walk.refuse(depth, EXTRAS);
    const instant = Date.prototype.getTime.call(value);
    if (!(Math.abs(instant) <= MAX_INSTANT)) this.walk.refuse(depth, 'is an invalid Date');
    return this.tag(TAG.date, instant);
  }

  private map(value: ReadonlyMap<unknown, unknown>, depth: number): unknown {
    this.walk.enter(value, depth);
    this.walk.checkBare(value, depth);
    this.walk.spendNodes(2 * value.size);
    const items: unknown[] = [];
    for (const [key, item] of value) {
      const place = items.length / 2;
      this.walk.spendBytes(2);
      this.walk.step(depth, () => `.keys()[${place}]`);
      items.push(this.plain(key, depth + 1));
      this.walk.step(depth, () => showMapKey(key, place));
      items.push(this.plain(item, depth + 1));
    }
    return this.tag(TAG.map, items);
  }

  private set(value: ReadonlySet<unknown>, depth: number): unknown {
    this.walk.enter(value, depth);
    this.walk.checkBare(value, depth);
    this.walk.spendNodes(value.size);
    const items: unknown[] = [];
    for (const item of value) {
      const place = items.length;
      this.walk.spendBytes(1);
      this.walk.step(depth, () => `.values()[${place}]`);
      items.push(this.plain(item, depth + 1));
    }
    return this.tag(TAG.set, items);
  }

  private binary(value: NodeJS.ArrayBufferView | ArrayBufferLike, depth: number): unknown {
    const kind = binaryKindOf(value);
    if (kind === undefined) return this.walk.refuseInstance(value, depth);
    if (!isBareBinary(value)) {
      this.walk.refuse(depth, `${EXTRAS}, or memory that is shared or was given away`);
    }
    this.walk.spendBytes(Math.ceil((value.byteLength * 4) / 3));
    return this.tag(binaryTag(kind), encodeBytes(value));
  }

  private tag(name: string, payload: unknown): unknown {
    this.walk.spendBytes(name.length + 4);
    return { __proto__: null, [name]: payload };
  }
}

/** A copy of some entries without a prototype, so that `JSON.stringify` finds nothing inherited. */
function entriesOf(value: object, keys: readonly string[]): Record<string, unknown> {
  const copy: Record<string, unknown> = Object.create(null);
  for (const key of keys) copy[key] = (value as Record<string, unknown>)[key];
  return copy;
}

/** Not `slice`: it asks the array for its constructor. */
function itemsBefore(list: readonly unknown[], end: number): unknown[] {
  const copy: unknown[] = [];
  for (let index = 0; index < end; index += 1) copy.push(list[index]);
  return copy;
}
