#!/usr/bin/env node
/*
 * The program, in a checkout and in the package. HAZARD: a Node too old to run the rest must get through this file, to say
 * so: CommonJS, and no syntax or function that is newer than `import()`.
 */
'use strict';
var fs = require('fs');
var path = require('path');
var url = require('url');

var LEAST_NODE = 24;
var home = path.join(fs.realpathSync(__dirname), '..');
// A checkout has sources; they win over what was once built of them.
var source = path.join(home, 'src', 'main.ts');
var isCheckout = fs.existsSync(source);

if (parseInt(process.versions.node, 10) < LEAST_NODE) {
  process.stderr.write(
    'local-telemetry: Node.js ' +
      LEAST_NODE +
      ' or later is needed, and this is ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '). ' +
      (isCheckout
        ? 'Run npm ci in ' +
          home +
          ', which brings it, and start bin/local-telemetry; where that one does not run, install Node.js ' +
          LEAST_NODE +
          '.'
        : 'Install it from https://nodejs.org and see that it comes first in PATH.') +
      '\n',
  );
  process.exitCode = 1;
} else {
  import(url.pathToFileURL(isCheckout ? source : path.join(home, 'dist', 'main.js')).href);
}
