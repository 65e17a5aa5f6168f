import { SessionValueError } from '../errors.js';
import { describeInstance } from './kinds.js';
import type { FieldLimits } from './limits.js';
import { type PathStep, formatPath } from './path.js';

/**
 * The way of the encoder through one value: where it is, what is left of the limits, and the
 * errors that follow. A depth is the number of containers around the place.
 */
export class Walk {
  private readonly trail: PathStep[] = [];
  private readonly ancestors: object[] = [];
  private nodesLeft: number;

  /**
   * What is left of the bytes, at most: the walk counts what a text takes at least. Its bytes are
   * counted once it is written, and by then it cannot be longer than a few times the limits.
   */
  bytesLeft: number;

  constructor(
    private readonly root: string,
    private readonly limits: FieldLimits,
  ) {
    this.bytesLeft = limits.maxFieldBytes;
    this.nodesLeft = limits.maxNodes;
  }

  /** Says which step is taken inside the container at `depth`. */
  step(depth: number, step: PathStep): void {
    this.trail[depth] = step;
  }

  /** Begins a container at `depth`. */
  enter(value: object, depth: number): void {
    for (let index = 0; index < depth; index += 1) {
      if (this.ancestors[index] === value) this.refuse(depth, 'refers back to what contains it');
    }
    this.checkDepth(depth);
    this.ancestors[depth] = value;
  }

  checkDepth(depth: number): void {
    if (depth < this.limits.maxDepth) return;
    this.refuseSize(depth, `is nested deeper than ${this.limits.maxDepth} levels`);
  }

  spendBytes(count: number): void {
    this.bytesLeft -= count;
    if (this.bytesLeft < 0) this.refuseBytes();
  }

  spendNodes(count: number): void {
    this.nodesLeft -= count;
    if (this.nodesLeft >= 0) return;
    this.refuseSize(0, `has more than ${this.limits.maxNodes} keys and items`);
  }

  checkSymbols(value: object, depth: number): void {
    if (Object.getOwnPropertySymbols(value).length > 0) this.refuse(depth, 'has a symbol key');
  }

  /** Refuses properties where only the contents of a built-in object are kept. */
  checkBare(value: object, depth: number): void {
    if (Reflect.ownKeys(value).length > 0) this.refuse(depth, 'has properties of its own');
  }

  refuse(depth: number, why: string): never {
    throw new SessionValueError(this.path(depth), why);
  }

  refuseInstance(value: object, depth: number): never {
    return this.refuse(depth, `is ${describeInstance(value)}; only plain data can be kept`);
  }

  refuseBytes(): never {
    return this.refuseSize(0, `takes more than ${this.limits.maxFieldBytes} bytes`);
  }

  private refuseSize(depth: number, why: string): never {
    throw new SessionValueError(this.path(depth), why, 'ERR_SESSION_TOO_LARGE');
  }

  private path(depth: number): string {
    return formatPath(this.root, this.trail.slice(0, depth));
  }
}
