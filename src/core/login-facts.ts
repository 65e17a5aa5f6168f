/** A login about to happen, as functions among the options see it. @public */
export interface LoginFacts {
  /** Whose session it becomes. */
  readonly userId: string;
  /** Whether it asks to be remembered. */
  readonly remember: boolean;
  /** How the user proved who they are: `['login']` unless the login says. */
  readonly methods: readonly string[];
  /** Assurance level of these proofs; 0: none is claimed. */
  readonly level: number;
  /** Whether a second factor is still to come. */
  readonly isPending: boolean;
  /** Organisation, as given to the login. */
  readonly tenant?: string;
}
