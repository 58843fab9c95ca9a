/** A headless Chromium, spoken to by its DevTools protocol. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const PATIENCE_MS = 30_000;

type Fields = Record<string, unknown>;

export interface ProtocolEvent {
  method: string;
  params: Fields;
}

interface Message {
  id?: number;
  method?: string;
  params?: Fields;
  result?: Fields;
  error?: { message: string };
}

/** The browser's path; undefined where there is none. */
export function findChromium(path = process.env.PATH ?? ''): string | undefined {
  const places = path.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return places.find((place) => existsSync(place));
}

/** One tab. */
export class Tab {
  readonly events: ProtocolEvent[] = [];
  readonly #socket: WebSocket;
  readonly #session: string;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #listeners = new Set<() => void>();
  #sent = 0;

  constructor(socket: WebSocket, session = '') {
    this.#socket = socket;
    this.#session = session;
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data)) as Message & Fields));
  }

  /** @throws Error with what the browser says, or when it says nothing */
  async send(method: string, params: Fields = {}): Promise<Fields> {
    // Ids are the browser's, not the tab's: those of two tabs must differ.
    const id = ++this.#sent + (this.#session === '' ? 0 : 1_000_000);
    const { promise, resolve } = Promise.withResolvers<Message>();
    this.#waiting.set(id, resolve);
    const session = this.#session === '' ? {} : { sessionId: this.#session };
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    const { result, error } = await within(promise, method);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  /** What an expression gives in the page; a promise is awaited. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    const { result, exceptionDetails } = answer as { result: { value: T }; exceptionDetails?: Fields };
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  /** Resolves once an expression is true in the page, which is looked at after each change of the page or the focus. */
  async until(expression: string): Promise<void> {
    await this.evaluate(`new Promise((resolve, reject) => {
      const holds = () => { try { return Boolean(${expression}); } catch { return false; } };
      const look = () => { if (holds()) { observer.disconnect(); resolve(); } };
      const observer = new MutationObserver(look);
      observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      document.addEventListener('focusin', look);
      setTimeout(() => reject(new Error('never true')), 15_000);
      look();
    })`);
  }

  /** Goes to an address and waits until it is loaded. */
  async go(url: string): Promise<void> {
    const seen = this.events.length;
    await this.send('Page.navigate', { url: 'about:blank' });
    await this.#event('Page.loadEventFired', seen);
    const blank = this.events.length;
    await this.send('Page.navigate', { url });
    await this.#event('Page.loadEventFired', blank);
  }

  of(method: string): Fields[] {
    return this.events.filter((event) => event.method === method).map(({ params }) => params);
  }

  async #event(method: string, from: number): Promise<void> {
    while (!this.events.slice(from).some((event) => event.method === method)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#listeners.add(resolve);
      await within(promise, method);
    }
  }

  #take({ id, method, params, sessionId = '', ...rest }: Message & Fields): void {
    if (sessionId !== this.#session) return;
    if (id !== undefined) this.#waiting.get(id)?.(rest as Message);
    if (method === undefined) return;
    this.events.push({ method, params: params ?? {} });
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A browser with one empty tab, and how to end it. */
export async function openChromium(program: string): Promise<{ tab: Tab; close: () => Promise<void> }> {
  const profile = mkdtempSync(join(tmpdir(), 'telemetry-browser-'));
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-gpu'];
  const args = ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`, ...root, ...quiet];
  // What it makes besides, and leaves behind where it is killed, goes with the profile.
  const env = { ...process.env, TMPDIR: profile };
  const child = spawn(program, [...args, 'about:blank'], { env, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const exited = once(child, 'exit');
  const close = async (): Promise<void> => {
    kill(child);
    await exited;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const socket = new WebSocket(await within(addressOf(child), 'Chromium'));
    await within(once(socket, 'open'), 'Chromium');
    const browser = new Tab(socket);
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
    const tab = new Tab(socket, String(sessionId));
    for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Accessibility']) await tab.send(`${domain}.enable`);
    return { tab, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      lines.push(line);
      const [, address] = /DevTools listening on (ws:\S+)/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', () => reject(new Error(`Chromium ended:\n${lines.join('\n')}`)));
  });
}

/** With the processes it has started. */
function kill({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
}
