/** Which form of /metrics a client wants: by ?format=, else by its Accept header. Pure. */
import { invalidQuery } from '../errors.ts';
import type { TextFormat } from './exposition.ts';

export type Format = 'json' | TextFormat;

interface Offer {
  format: Format;
  type: string;
  version?: string;
}

/** In the order in which they are preferred where a client has no preference. */
const OFFERS: readonly Offer[] = [
  { format: 'json', type: 'application/json' },
  { format: 'prometheus', type: 'text/plain', version: '0.0.4' },
  { format: 'openmetrics', type: 'application/openmetrics-text', version: '1.0.0' },
];

interface Range {
  type: string;
  version: string | undefined;
  quality: number;
}

/**
 * The format to answer in. JSON, or whichever of `formats` comes first, where several are as good or none is wanted.
 *
 * @param format the query's parameter @param accept the header
 * @throws TelemetryError "invalid" for a format that there is not
 */
export function formatFor(formats: readonly Format[], format: string | null, accept: string | undefined): Format {
  const offers = OFFERS.filter((offer) => formats.includes(offer.format));
  if (format !== null && format !== '') {
    const named = offers.find((offer) => offer.format === format);
    if (named) return named.format;
    const wanted = offers.map((offer) => `'${offer.format}'`).join(', ');
    throw invalidQuery('format', 'enum', `Input should be one of ${wanted}`, format.slice(0, 100));
  }
  const ranges = rangesOf(accept ?? '*/*');
  const fits = offers.map((offer) => ({ format: offer.format, ...fitOf(offer, ranges) }));
  // One that names metrics, but only in versions we do not have, reads the oldest, and no JSON.
  const named = fits.some(({ precision }) => precision > ANYTHING);
  if (!named && formats.includes('prometheus') && ranges.some(isScraper)) return 'prometheus';
  const best = fits.reduce((first, next) => (next.quality > first.quality ? next : first));
  return best.format;
}

const isScraper = ({ type, quality }: Range): boolean =>
  quality > 0 && /^(text\/plain|application\/(openmetrics-text|vnd\.google\.protobuf))$/.test(type);

function rangesOf(accept: string): Range[] {
  return accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const valueOf = (name: string): string | undefined =>
      parameters
        .map((parameter) => parameter.split('='))
        .find(([key]) => key?.trim() === name)?.[1]
        ?.trim()
        .replaceAll('"', '');
    const quality = Number(valueOf('q') ?? 1);
    return { type, version: valueOf('version'), quality: quality >= 0 && quality <= 1 ? quality : 0 };
  });
}

/** How near a range is: this type, its group, or anything. */
const ANYTHING = 1;
const GROUP = 2;
const TYPE = 3;
const VERSION = 4;

/** What the range that fits best says; nothing where none fits. A range with a version fits this version only. */
function fitOf(offer: Offer, ranges: readonly Range[]): { precision: number; quality: number } {
  const [group] = offer.type.split('/');
  let best = { precision: 0, quality: 0 };
  for (const { type, version, quality } of ranges) {
    if (version !== undefined && type === offer.type && version !== offer.version) continue;
    const exact = version === undefined ? TYPE : VERSION;
    const precision = type === offer.type ? exact : type === `${group}/*` ? GROUP : type === '*/*' ? ANYTHING : 0;
    if (precision > best.precision) best = { precision, quality };
  }
  return best;
}
