/** The manual of all commands, made from their help, so that the two cannot differ. */
import { COMMANDS } from './commands.ts';
import { helpOf } from './usage.ts';

const INTRODUCTION = `# Commands

Everything an operator does is one program, \`local-telemetry\`. Where the package is installed, and in a checkout, it is \`npx local-telemetry <command>\`; a checkout also has
\`bin/local-telemetry\`, which may be linked to from anywhere: \`sudo ln -s "$PWD/bin/local-telemetry" /usr/local/bin/\`.

- **Which database?** The one of \`TELEMETRY_DB_PATH\`, or of \`--db\`. While its service runs, a command asks the service, over a
  socket beside the database (\`telemetry.sqlite.sock\`) that only the service's user may open. Where none runs, the command
  works on the file itself, under the same lock as a service. So a live database is only ever changed by its writer.
- **A service elsewhere** is reached by \`--url http://host:8765\`, where a command has that option; the token is
  \`TELEMETRY_API_AUTH_TOKEN\`.
- **Output.** Results go to stdout, all else to stderr. \`--json\` is for scripts. Colour is for terminals, and \`NO_COLOR\` turns it off.
- **Exit codes.** 0: done. 1: it could not be done; stderr says why. 2: the command line is wrong. 3 and others are a command's own.

This page is written by \`npm run commands\` from the commands themselves.
`;

/** @returns the page, as Markdown */
export async function referenceOf(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map(async (load) => (await load()).default));
  const helps = await Promise.all(commands.map(helpOf));
  const sections = commands.map(({ definition }, index) => {
    const help = (helps[index] as string).trimEnd().replace(/^local-telemetry [\w-]+: /, '');
    return `## ${definition.name}\n\n\`\`\`text\n${help}\n\`\`\`\n`;
  });
  return [INTRODUCTION, ...sections].join('\n');
}
