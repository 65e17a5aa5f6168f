import { decodeBytes } from './binary.js';
import {
  BINARY_KINDS,
  type BinaryKind,
  MAX_INSTANT,
  MINUS_ZERO,
  TAG,
  TAG_MARK,
  binaryTag,
  isForbiddenKey,
} from './grammar.js';
import type { FieldLimits } from './limits.js';

/** Why a text could not be read. */
export type UnreadableReason = 'malformed' | 'limits';

/** Stands for a value that cannot be read; no value that can be read is a symbol. */
export const UNREADABLE = Symbol('unreadable');

const CANONICAL_BIGINT = /^(?:0|-?[1-9][0-9]*)$/;
const MARK_CODE = TAG_MARK.charCodeAt(0);

const BINARY_TAGS: ReadonlyMap<string, BinaryKind> = new Map(
  [...(Object.keys(BINARY_KINDS) as (keyof typeof BINARY_KINDS)[]), 'Buffer' as const].map(
    (kind) => [binaryTag(kind), kind],
  ),
);

/**
 * Turns the outcome of `JSON.parse` into the value that was encoded. Works in place, on objects
 * that nobody else has seen. Only the types of the tag table come to life, never code or classes.
 */
export class FieldReader {
  /** Why the last `read` answered {@link UNREADABLE}. */
  reason: UnreadableReason = 'malformed';
  private nodesLeft: number;

  constructor(private readonly limits: FieldLimits) {
    this.nodesLeft = limits.maxNodes;
  }

  /** The value for one parsed node, or {@link UNREADABLE}. */
  read(node: unknown, depth: number): unknown {
    // JSON.parse makes Infinity of 1e999.
    if (typeof node === 'number') return Number.isFinite(node) ? node : UNREADABLE;
    if (typeof node !== 'object' || node === null) return node;
    if (Array.isArray(node)) return this.list(node, depth);
    const keys = Object.keys(node);
    const [first] = keys;
    if (first !== undefined && keys.length === 1 && first.charCodeAt(0) === MARK_CODE) {
      const payload: unknown = Reflect.get(node, first);
      return first.charCodeAt(1) === MARK_CODE
        ? this.unescape(first.slice(1), payload, depth)
        : this.revive(first, payload, depth);
    }
    return this.record(node as Record<string, unknown>, keys, depth);
  }

  private list(items: unknown[], depth: number): unknown {
    if (!this.enter(items.length, depth)) return UNREADABLE;
    for (let index = 0; index < items.length; index += 1) {
      const node = items[index];
      const value = this.read(node, depth + 1);
      if (value === UNREADABLE) return UNREADABLE;
      if (value !== node) items[index] = value;
    }
    return items;
  }

  private record(object: Record<string, unknown>, keys: readonly string[], depth: number): unknown {
    if (!this.enter(keys.length, depth)) return UNREADABLE;
    for (const key of keys) {
      if (isForbiddenKey(key)) return UNREADABLE;
      const node = object[key];
      const value = this.read(node, depth + 1);
      if (value === UNREADABLE) return UNREADABLE;
      if (value !== node) object[key] = value;
    }
    return object;
  }

  private unescape(key: string, payload: unknown, depth: number): unknown {
    if (!this.enter(1, depth)) return UNREADABLE;
    const value = this.read(payload, depth + 1);
    return value === UNREADABLE ? UNREADABLE : { [key]: value };
  }

  private revive(tag: string, payload: unknown, depth: number): unknown {
    switch (tag) {
      case TAG.undefined:
        return payload === true ? undefined : UNREADABLE;
      case TAG.number:
        return payload === MINUS_ZERO ? -0 : UNREADABLE;
      case TAG.bigint:
        if (typeof payload !== 'string' || !CANONICAL_BIGINT.test(payload)) return UNREADABLE;
        return BigInt(payload);
      case TAG.date:
        if (!Number.isInteger(payload) || Math.abs(Number(payload)) > MAX_INSTANT) {
          return UNREADABLE;
        }
        return new Date(Number(payload));
      case TAG.map:
        return this.map(payload, depth);
      case TAG.set:
        return this.set(payload, depth);
      default:
        return this.binary(tag, payload);
    }
  }

  private map(payload: unknown, depth: number): unknown {
    if (!Array.isArray(payload) || payload.length % 2 !== 0) return UNREADABLE;
    const items = this.list(payload, depth);
    if (items === UNREADABLE) return UNREADABLE;
    const map = new Map<unknown, unknown>();
    for (let index = 0; index < payload.length; index += 2) {
      map.set(payload[index], payload[index + 1]);
    }
    // Two equal keys were never written.
    return map.size * 2 === payload.length ? map : UNREADABLE;
  }

  private set(payload: unknown, depth: number): unknown {
    if (!Array.isArray(payload) || this.list(payload, depth) === UNREADABLE) return UNREADABLE;
    const set = new Set<unknown>(payload);
    return set.size === payload.length ? set : UNREADABLE;
  }

  private binary(tag: string, payload: unknown): unknown {
    const kind = BINARY_TAGS.get(tag);
    if (kind === undefined || typeof payload !== 'string') return UNREADABLE;
    return decodeBytes(kind, payload) ?? UNREADABLE;
  }

  /** Counts a container and what it holds; false where that passes a limit. */
  private enter(nodes: number, depth: number): boolean {
    this.nodesLeft -= nodes;
    if (depth < this.limits.maxDepth && this.nodesLeft >= 0) return true;
    this.reason = 'limits';
    return false;
  }
}
