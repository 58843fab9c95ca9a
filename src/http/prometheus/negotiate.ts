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
    throw invalidQuery('format', 'enum', `Input should be one of ${wanted}`, format);
  }
  const ranges = rangesOf(accept ?? '*/*');
  let best: { format: Format; quality: number } | undefined;
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges);
    if (quality > (best?.quality ?? 0)) best = { format: offer.format, quality };
  }
  return best?.format ?? (offers[0] as Offer).format;
}

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

/** What the range that fits best says; 0 where none fits. A range with a version fits this version only. */
function qualityOf(offer: Offer, ranges: readonly Range[]): number {
  const [group] = offer.type.split('/');
  let best = { precision: 0, quality: 0 };
  for (const { type, version, quality } of ranges) {
    if (version !== undefined && type === offer.type && version !== offer.version) continue;
    const exact = version === undefined ? 3 : 4;
    const precision = type === offer.type ? exact : type === `${group}/*` ? 2 : type === '*/*' ? 1 : 0;
    if (precision > best.precision) best = { precision, quality };
  }
  return best.quality;
}
