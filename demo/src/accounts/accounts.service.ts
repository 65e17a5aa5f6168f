import { Injectable } from '@nestjs/common';
import { ACCOUNTS, type Account } from './accounts.js';
import { isPassword } from './password.js';

/** What became of a name and a password. */
export type Verification =
  | { readonly ok: true; readonly account: Account }
  /** `account`: somebody has that name, but another password. */
  | { readonly ok: false; readonly account: Account | undefined };

@Injectable()
export class AccountsService {
  async verify(username: string, password: string): Promise<Verification> {
    const account = ACCOUNTS.find((candidate) => candidate.username === username.toLowerCase());
    const matches = await isPassword(password, account?.password);
    return account && matches ? { ok: true, account } : { ok: false, account };
  }

  /** The account behind a session's user id. */
  byId(id: string | undefined): Account | undefined {
    return ACCOUNTS.find((account) => account.id === id);
  }
}
