import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/**
 * The client's address: the peer's, or where the peer is a listed proxy the last address in
 * X-Forwarded-For that is not one itself.
 *
 * @param trusted addresses and CIDR ranges of proxies
 */
export function addressReader(trusted: readonly string[]): (request: IncomingMessage) => string {
  const proxies = new BlockList();
  for (const entry of trusted) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) proxies.addAddress(address, family);
    else proxies.addSubnet(address, Number(bits), family);
  }
  const isProxy = (address: string): boolean =>
    isIP(address) !== 0 && proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return (request) => {
    const peer = plain(request.socket.remoteAddress ?? 'unknown');
    if (trusted.length === 0 || !isProxy(peer)) return peer;
    const hops = String(request.headers['x-forwarded-for'] ?? '').split(',');
    // From the right: each proxy appends whom it saw. What lies beyond the first stranger is its own word.
    const client = hops.map(plain).findLast((hop) => !isProxy(hop));
    return client !== undefined && isIP(client) !== 0 ? client : peer;
  };
}

/** An address without port and brackets, IPv4 in IPv6 as IPv4, so that an address is one address. */
function plain(hop: string): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(hop.trim()) ?? [];
  return (bracketed ?? dotted ?? hop.trim()).replace(/^::ffff:(?=\d+\.)/i, '');
}
