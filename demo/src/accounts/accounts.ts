/**
 * The user table of the demo. Passwords: see the login page.
 */
import type { PasswordHash } from './password.js';

export interface Account {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly role: 'user' | 'admin';
  readonly password: PasswordHash;
}

export const ACCOUNTS: readonly Account[] = [
  {
    id: 'user-1',
    username: 'alice',
    name: 'Alice Moreau',
    role: 'user',
    password: {
      salt: 'HMRr3auEMBNELMJoTj3goA',
      key: 'Qs7MzydNxBHUWadlxeOLhU5tleci2Tl8euG31EBMsAU',
    },
  },
  {
    id: 'user-2',
    username: 'bob',
    name: 'Bob Lindqvist',
    role: 'user',
    password: {
      salt: '54bZRXiw7tO2kx-Ov5z64w',
      key: 'XY8IOhCZgJftSk1WfBsvLwEB2MX3X5fNNyG6tEtV1PE',
    },
  },
  {
    id: 'user-3',
    username: 'ada',
    name: 'Ada Okafor',
    role: 'admin',
    password: {
      salt: 'iEJ5HX1fPgHK-za30_iiig',
      key: '1q3aFKGBE9SJd3ziB0ypdXjnTOemYPEbdfGgoYPMhJ0',
    },
  },
];
