/** A login about to happen, as functions among the options see it. @public */
export interface LoginFacts {
  readonly userId: string;
  readonly remember: boolean;
  /** How the user proved who they are: `['login']` unless the login says. */
  readonly methods: readonly string[];
  /** Assurance level of these proofs; 0: none is claimed. */
  readonly level: number;
  readonly isPending: boolean;
  readonly tenant?: string;
}
