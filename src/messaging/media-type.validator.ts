import { ValidateBy, type ValidationOptions } from 'class-validator';
import { MIMEType } from 'node:util';

// What no header field may hold is no media type either.
const printable = /^[\x20-\x7e]{3,255}$/;

/** Whether a text is a media type, with parameters or without: `audio/webm;codecs=opus`. */
export function isMediaType(value: unknown): boolean {
  if (typeof value !== 'string' || !printable.test(value)) return false;
  try {
    return new MIMEType(value).essence.length > 0;
  } catch {
    return false;
  }
}

export function IsMediaType(options: ValidationOptions = {}): PropertyDecorator {
  return ValidateBy(
    { name: 'isMediaType', validator: { validate: isMediaType, defaultMessage: () => 'must be a media type' } },
    options,
  );
}
