/** What a command may touch of the terminal and the environment; `main.ts` makes the real one, tests make their own. */
export interface CliIo {
  /** Writes to standard output as it is; the caller ends lines. */
  out(text: string): void;
  /** Writes to standard error as it is; the caller ends lines. */
  err(text: string): void;
  /** Whether a person watches standard output. */
  readonly isTty: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}
