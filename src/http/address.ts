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
    const forwarded = String(request.headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((hop) => plain(hop.trim()));
    return forwarded.findLast((hop) => isIP(hop) !== 0 && !isProxy(hop)) ?? peer;
  };
}

/** IPv4 in IPv6 as IPv4, so that an address is one address. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');
