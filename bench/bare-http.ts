/**
 * A bare HTTP server in a process of its own: it reads the body, does nothing with it, and answers. It is what node:http gives
 * at most.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const ANSWER = Buffer.from('{}');

const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => response.writeHead(200, { 'Content-Length': ANSWER.length }).end(ANSWER));
});
server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
// Whoever measures is done, or was killed.
process.once('disconnect', () => process.exit(0));
