import { Injectable } from '@nestjs/common';
import {
  ArrayMaxSize,
  IsArray,
  IsEmail,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsOptional,
  IsString,
  IsUrl,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { invalid } from '../common/index.js';
import { Settings } from '../config/index.js';
import { IsMediaType } from './media-type.validator.js';
import { MessageType } from './message.type.js';

// Hosts inside a company have no dot, or an underscore.
const url = {
  protocols: ['http', 'https'],
  require_protocol: true,
  require_tld: false,
  allow_underscores: true,
  validate_length: false,
};
const maxAddressCharacters = 8_192;

/** `{ text }`, at most `MAX_TEXT_CHARACTERS`. */
export class TextContent {
  @IsString()
  @IsNotEmpty()
  text!: string;
}

/**
 * What image, video, audio and file have in common. Bytes live elsewhere; this carries their
 * address.
 */
export class MediaContent {
  @IsUrl(url)
  @MaxLength(maxAddressCharacters)
  url!: string;

  @IsOptional()
  @IsMediaType()
  mimeType?: string;

  @IsOptional()
  @IsString()
  @MaxLength(255)
  fileName?: string;

  @IsOptional()
  @IsInt()
  @Min(0)
  sizeBytes?: number;

  @IsOptional()
  @IsString()
  @MaxLength(4_096)
  caption?: string;

  /** SHA-256 of the bytes, for clients that check what they download. */
  @IsOptional()
  @IsString()
  @MaxLength(128)
  sha256?: string;
}

export class ImageContent extends MediaContent {
  @IsOptional()
  @IsInt()
  @Min(1)
  width?: number;

  @IsOptional()
  @IsInt()
  @Min(1)
  height?: number;

  @IsOptional()
  @IsUrl(url)
  @MaxLength(maxAddressCharacters)
  thumbnailUrl?: string;

  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  altText?: string;
}

export class VideoContent extends ImageContent {
  @IsOptional()
  @IsInt()
  @Min(0)
  durationMs?: number;
}

export class AudioContent extends MediaContent {
  @IsOptional()
  @IsInt()
  @Min(0)
  durationMs?: number;
}

export class FileContent extends MediaContent {}

export class LocationContent {
  @IsNumber()
  @Min(-90)
  @Max(90)
  latitude!: number;

  @IsNumber()
  @Min(-180)
  @Max(180)
  longitude!: number;

  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(1_000_000)
  accuracyMeters?: number;

  @IsOptional()
  @IsString()
  @MaxLength(256)
  name?: string;

  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  address?: string;
}

export class ContactContent {
  @IsString()
  @IsNotEmpty()
  @MaxLength(256)
  name!: string;

  /** The contact's id in this system, if it has one. */
  @IsOptional()
  @IsString()
  @MaxLength(128)
  userId?: string;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(20)
  @IsString({ each: true })
  @MaxLength(64, { each: true })
  phones?: string[];

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(20)
  @IsEmail({}, { each: true })
  emails?: string[];
}

@Injectable()
export class TextMessageType extends MessageType<TextContent> {
  readonly name = 'text';
  readonly contentClass = TextContent;

  constructor(private readonly settings: Settings) {
    super();
  }

  override check(content: TextContent): void {
    const { maxTextCharacters } = this.settings;
    if (content.text.length <= maxTextCharacters) return;
    // Characters are code points: an emoji outside the basic plane counts once, though it is two
    // UTF-16 units.
    const isTooLong = content.text.length > 2 * maxTextCharacters || codePointsOf(content.text) > maxTextCharacters;
    if (isTooLong) throw invalid('content.text', `at most ${maxTextCharacters} characters`);
  }
}

function codePointsOf(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) if (isLowSurrogate(text.charCodeAt(i))) count -= 1;
  return count;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function openType(name: string, contentClass: new () => object): MessageType {
  return { name, contentClass, isOpen: true };
}

/**
 * The types every client may count on (contract, section 3), apart from `text`. What they show
 * differs from app to app (a blur hash, a wave form), and need not become a type of one's own.
 */
export const mediaMessageTypes: readonly MessageType[] = [
  openType('image', ImageContent),
  openType('video', VideoContent),
  openType('audio', AudioContent),
  openType('file', FileContent),
  openType('location', LocationContent),
  openType('contact', ContactContent),
];
