const CODE = /^[A-Za-z0-9_-]{43}$/;

/** Whether a text has the form of a code: 32 bytes, base64url. */
export function isCode(text: string): boolean {
  return CODE.test(text);
}

/** The text that administrators give to agents (`docs/reference/protocol.md`, Enrollment). */
export function formatToken(code: string, serverSpkiHash: string): string {
  return `nam1.${code}.${serverSpkiHash}`;
}
