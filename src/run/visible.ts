/** What commands a terminal, or turns the direction of what follows, written out as the escape that JSON has for it. Pure. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const escapeOf = (control: string): string => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** JSON in one line, without any of it: the same value. JSON allows DEL, the C1 and the bidi controls as they are. */
export const visibleJson = (json: string): string => json.replace(CONTROLS, escapeOf);

/** Text with the escapes in the places of the controls; tabs and ends of lines stay. */
export const escaped = (text: string): string =>
  text.replace(CONTROLS, (control) => (/[\t\n\r]/.test(control) ? control : escapeOf(control)));
