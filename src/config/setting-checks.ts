/**
 * Checks and conversions of single settings. Each message follows the setting's name, and never
 * quotes the value.
 */
import { z } from 'zod';
import { readDatabaseUrl } from './database-url.js';
import { faultOfOrigin, isNetwork, type TrustedProxies } from '../common/index.js';

// Number('') is 0: an empty variable must not pass as a number.
export const int = (min: number, max: number) =>
  z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^-?\d+$/)
          .transform(Number),
      ],
      { error: `must be a whole number from ${min} to ${max}` },
    )
    .refine((value) => Number.isInteger(value) && value >= min && value <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    }) as z.ZodType<number>;
export const bool = z.union(
  [z.boolean(), z.enum(['true', 'false', '1', '0']).transform((word) => word === 'true' || word === '1')],
  {
    error: 'must be true or false',
  },
) as z.ZodType<boolean>;
export const optionalText = z.string().min(1).optional() as z.ZodType<string | undefined>;
export const urlOf = (...protocols: string[]) =>
  z
    .string()
    .refine(
      (text) =>
        text.split(',').every((part) => URL.canParse(part.trim()) && protocols.includes(new URL(part.trim()).protocol)),
      {
        error: `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
      },
    )
    .optional() as z.ZodType<string | undefined>;
export const databaseUrl = z
  .string()
  .superRefine((text, context) => {
    try {
      readDatabaseUrl(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  })
  .optional() as z.ZodType<string | undefined>;
const words = z.union([
  z.array(z.string()),
  z.string().transform((text) =>
    text
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean),
  ),
]) as z.ZodType<string[]>;
/** Each entry can fit an origin that a browser or an app sends; `*` fits all. */
export const origins: z.ZodType<string[]> = words.superRefine((list, context) => {
  for (const [index, origin] of list.entries()) {
    const fault = faultOfOrigin(origin);
    if (fault !== null) {
      const message = `entry ${index + 1} ${fault}; origins look like https://app.example.com; docs/operations.md says more`;
      context.addIssue({ code: 'custom', message });
    }
  }
});

/** A secret, or several. */
export const secrets = z.union([z.array(z.string()), z.string()]) as z.ZodType<string | readonly string[] | undefined>;

/** One word, since tokens carry scopes as words. */
export const scopeName = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, { error: 'must be one word of printable ASCII characters' });

const proxiesForm =
  'must be the number of proxies in front (such as 1) or their networks (CIDR, such as 10.0.0.0/8), separated by commas';
const maxProxies = 100;

/** A number of hops, or networks. `false` is what earlier versions took for none. */
export const trustedProxies = z
  .unknown()
  .transform((value) => {
    if (value === false || value === 'false') return 0;
    if (typeof value === 'string' && /^\d+$/.test(value)) return Number(value);
    return typeof value === 'string' ? value.split(',').map((word) => word.trim()) : value;
  })
  .refine(
    (value) =>
      Array.isArray(value)
        ? value.length > 0 && value.every(isNetwork)
        : Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxProxies,
    { error: proxiesForm },
  ) as unknown as z.ZodType<TrustedProxies>;
