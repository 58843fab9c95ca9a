/** Somebody who reads the page and tries operations out. */
import type { Tab } from './chromium.ts';

const text = (value: string): string => JSON.stringify(value);

/** What stands below "Try it" after sending. */
export interface Shown {
  status: number;
  state: string;
  headers: string;
  body: string;
}

export class Reader {
  readonly tab: Tab;
  readonly url: string;

  constructor(tab: Tab, url: string) {
    this.tab = tab;
    this.url = url;
  }

  /** Opens the page and waits until it has been filled. @param hash such as #getRun */
  async open(hash = ''): Promise<void> {
    await this.tab.go(`${this.url}/docs${hash}`);
    await this.tab.until(`document.querySelector('.operation')`);
  }

  /** Opens an operation. */
  async unfold(id: string): Promise<void> {
    await this.tab.evaluate(`document.getElementById(${text(id)}).open = true`);
    await this.tab.until(`document.querySelector('#${id} .trial')`);
    await this.tab.evaluate(`document.querySelector('#${id} .trial').open = true`);
    await this.tab.until(`document.getElementById(${text(id)}).querySelector('form')`);
  }

  /** Sets a field of an operation's form, as typing does. */
  async fill(id: string, name: string, value: string): Promise<void> {
    await this.set(`#${id} form [name=${text(name)}]`, value);
  }

  async token(value: string): Promise<void> {
    await this.set('#page-token', value);
  }

  async set(selector: string, value: string): Promise<void> {
    const field = `document.querySelector(${text(selector)})`;
    await this.tab.evaluate(
      `{ ${field}.value = ${text(value)}; ${field}.dispatchEvent(new Event('input', { bubbles: true })); }`,
    );
  }

  value(id: string, name: string): Promise<string> {
    return this.tab.evaluate(`document.querySelector(${text(`#${id} form [name=${text(name)}]`)}).value`);
  }

  /** The command shown for an operation. */
  command(id: string): Promise<string> {
    return this.tab.evaluate(`[...document.querySelectorAll('#${id} form pre')].at(-1).textContent`);
  }

  /** Sends, waits for the answer, and reads it. */
  async send(id: string): Promise<Shown> {
    const form = `document.querySelector('#${id} form')`;
    await this.tab.evaluate(`${form}.querySelector('.send').click()`);
    await this.tab.until(
      `!${form}.querySelector('[aria-disabled]') && ${form}.querySelector('.state').textContent !== ''`,
    );
    const [state, headers, body] = await this.tab.evaluate<[string, string, string]>(
      `['.state', '.headers', 'pre[aria-label="Body of the answer"]']
        .map((part) => ${form}.querySelector(part)?.textContent ?? '')`,
    );
    return { status: Number.parseInt(state), state, headers, body };
  }

  /** All operations, opened. @returns their ids */
  async unfoldAll(): Promise<string[]> {
    const ids = await this.ids();
    for (const id of ids) await this.unfold(id);
    await this.tab.evaluate(`document.querySelectorAll('details').forEach((each) => (each.open = true))`);
    await this.tab.until(`[...document.querySelectorAll('details')].every((each) => each.children.length > 1)`);
    return ids;
  }

  /** The ids of the operations that are to be seen. */
  ids(): Promise<string[]> {
    return this.tab.evaluate(
      `[...document.querySelectorAll('.operation')].filter((each) => !each.hidden).map(({ id }) => id)`,
    );
  }

  async resize(width: number, height: number): Promise<void> {
    await this.tab.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
  }

  async scheme(value: 'light' | 'dark'): Promise<void> {
    await this.tab.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
  }

  async screenshot(): Promise<Buffer> {
    const { data } = await this.tab.send('Page.captureScreenshot', { format: 'png' });
    return Buffer.from(String(data), 'base64');
  }
}
