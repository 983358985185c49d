/** A letter in plain text. */
export interface Letter {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Sends letters. */
export interface Mailer {
  /** Ends when the mail server has taken the letter over. @throws FlareError `dashboard/mail-failed` */
  send(letter: Letter): Promise<void>;
}
