/** How the page looks and speaks, and what it says when something is missing. */
import assert from 'node:assert/strict';
import { type Check, shell } from './checks.ts';

export const TOKEN = "a-token-with-'-and-$HOME";

/** Roles that somebody can do something with, which therefore need a name. */
const NAMED = new Set(['textbox', 'searchbox', 'combobox', 'button', 'link', 'table', 'region', 'form']);

interface AccessibleNode {
  ignored: boolean;
  role?: { value: string };
  name?: { value: string };
}

/** Of a service that wants no token; the last ones leave the page broken. */
export const LOOKS: Readonly<Record<string, Check>> = {
  'nothing is wider than a screen of 360 px, with everything open': async (reader) => {
    await reader.resize(360, 740);
    await reader.open();
    await reader.unfoldAll();
    const wide = await reader.tab.evaluate<string[]>(
      `[...document.body.querySelectorAll('*')]
        .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth && !each.closest('thead'))
        .map((each) => each.outerHTML.slice(0, 120))`,
    );
    assert.deepEqual(wide, []);
    const [content, screen] = await reader.tab.evaluate<[number, number]>(
      `[document.documentElement.scrollWidth, document.documentElement.clientWidth]`,
    );
    assert.ok(content <= screen, `the page is ${content} px wide on a screen of ${screen}`);
  },
  'everything that can be used has a name, and there is one main heading': async (reader) => {
    await reader.resize(1200, 900);
    await reader.open();
    await reader.unfoldAll();
    const { nodes } = (await reader.tab.send('Accessibility.getFullAXTree')) as unknown as { nodes: AccessibleNode[] };
    const concerned = nodes.filter(({ ignored, role }) => !ignored && NAMED.has(role?.value ?? ''));
    assert.ok(concerned.length > 50, `only ${concerned.length} were found`);
    assert.deepEqual(
      concerned.filter(({ name }) => !name?.value.trim()),
      [],
    );
    assert.equal(await reader.tab.evaluate(`document.querySelectorAll('h1').length`), 1);
  },
  'a service that stops answering is told in words': async (reader) => {
    await reader.open();
    await reader.unfold('getHealth');
    await reader.tab.send('Network.setBlockedURLs', { urls: ['*/health'] });
    const { state } = await reader.send('getHealth');
    assert.match(state, /^No answer came\. See that the service runs\./);
  },
  'a document that cannot be loaded is told in words, with the remedy': async (reader) => {
    await reader.tab.send('Network.setBlockedURLs', { urls: ['*/openapi.json'] });
    await reader.tab.go(`${reader.url}/docs`);
    await reader.tab.until(`document.querySelector('.failure button')`);
    const said = await reader.tab.evaluate<string>(`document.querySelector('.failure').textContent`);
    assert.match(said, /^\/openapi\.json cannot be reached: no answer came\. See that the service runs/);
    await reader.tab.send('Network.setBlockedURLs', { urls: [] });
  },
};

/** Of a service that wants TOKEN. */
export const GUARDED: Readonly<Record<string, Check>> = {
  'without the token 401 is shown, with it 200': async (reader) => {
    await reader.unfold('listRuns');
    const refused = await reader.send('listRuns');
    assert.equal(refused.status, 401);
    assert.match(refused.body, /Authorization header required/);
    await reader.token(TOKEN);
    assert.equal((await reader.send('listRuns')).status, 200);
  },
  'the token is nowhere in what is shown or copied, and the command works where its variable is set': async (
    reader,
  ) => {
    const command = await reader.command('listRuns');
    assert.ok(command.includes('--header "Authorization: Bearer $TELEMETRY_API_AUTH_TOKEN"'), command);
    const [markup, seen] = await reader.tab.evaluate<[string, string]>(
      `[document.documentElement.outerHTML, document.body.innerText]`,
    );
    assert.equal(markup.includes(TOKEN), false);
    assert.match(seen, /Set TELEMETRY_API_AUTH_TOKEN in your shell to the token first/);
    assert.match(shell(command, { TELEMETRY_API_AUTH_TOKEN: TOKEN }), /^HTTP\/1\.1 200/);
    assert.match(shell(command, { TELEMETRY_API_AUTH_TOKEN: 'other' }), /^HTTP\/1\.1 401/);
  },
  'the token lives in the storage of the tab, and survives a reload': async (reader) => {
    const [local, session, cookie] = await reader.tab.evaluate<[string, string, string]>(
      `[JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie]`,
    );
    assert.deepEqual([local, cookie], ['{}', '']);
    assert.ok(session.includes(TOKEN));
    await reader.open();
    await reader.unfold('listRuns');
    assert.equal((await reader.send('listRuns')).status, 200);
  },
  'an open route is not given the token': async (reader) => {
    await reader.unfold('getHealth');
    assert.equal((await reader.command('getHealth')).includes('Authorization'), false);
    const form = await reader.tab.evaluate<string>(`document.querySelector('#getHealth form').innerText`);
    assert.doesNotMatch(form, /TELEMETRY_API_AUTH_TOKEN/);
    assert.equal((await reader.send('getHealth')).status, 200);
  },
};
