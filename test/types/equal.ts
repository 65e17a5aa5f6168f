/** `true` if two types are the same, by mutual assignability; `any` equals only itself. */
export type Equal<A, B> =
  IsAny<A> extends IsAny<B> ? ([A] extends [B] ? ([B] extends [A] ? true : false) : false) : false;

type IsAny<T> = 0 extends 1 & T ? true : false;
