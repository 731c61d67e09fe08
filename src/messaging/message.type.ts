import { Injectable } from '@nestjs/common';
import { assertKeyCount, ChatError, invalid, toDto } from '../common/index.js';
import { Settings } from '../config/index.js';

/**
 * A kind of message: its name on the wire and what its `content` must be. A seam: add one class per
 * custom type.
 *
 * Called for each send and edit, after the shape of the request was found good and before
 * interceptors. Not called for a retry's answer, nor when messages are read. A throw refuses the
 * message: a ChatError with its code, anything else as `INTERNAL`. Types are looked up by name;
 * registering a name twice fails the boot.
 *
 * @example
 * ```ts
 * export class PollContent { @IsString() @MaxLength(200) question!: string; @IsString({ each: true }) options!: string[] }
 * export class PollMessageType extends MessageType<PollContent> {
 *   readonly name = 'acme.poll';
 *   readonly contentClass = PollContent;
 * }
 * ParleyModule.forRoot({ messageTypes: [PollMessageType] });
 * ```
 * @since 0.1.0
 */
export abstract class MessageType<C extends object = object> {
  /** 1 to 64 of `a-z 0-9 . _ -`; custom ones carry a prefix (`acme.poll`). */
  abstract readonly name: string;
  /**
   * A class with class-validator rules; properties without a rule are refused, unless the type
   * {@link isOpen}.
   */
  abstract readonly contentClass: new () => C;
  /** True: properties without a rule are kept as they come. Default false. */
  readonly isOpen?: boolean;
  /** What rules of single properties cannot say. @throws ChatError */
  check?(content: C): void;
}

/** Knows every message type, and judges contents. */
@Injectable()
export class MessageTypeRegistry {
  private readonly types = new Map<string, MessageType>();

  constructor(private readonly settings: Settings) {}

  /** @throws Error when the name is taken */
  register(type: MessageType): void {
    if (this.types.has(type.name)) throw new Error(`message type ${type.name} is registered twice`);
    this.types.set(type.name, type);
  }

  /**
   * Checks a content against its type.
   *
   * @returns the content as JSON, as it is stored and sent
   * @throws ChatError VALIDATION_FAILED (unknown type, bad content, more than `MAX_CONTENT_KEYS`) |
   *   PAYLOAD_TOO_LARGE
   */
  encode(typeName: string, content: object): string {
    const type = this.types.get(typeName);
    if (!type) throw invalid('type', 'is not a registered message type');
    const { maxContentBytes, maxContentKeys } = this.settings;
    assertKeyCount(content, maxContentKeys, 'content');
    const json = JSON.stringify(content);
    if (json.length * 3 > maxContentBytes && Buffer.byteLength(json) > maxContentBytes) {
      throw new ChatError('PAYLOAD_TOO_LARGE', {
        details: [{ path: 'content', message: `at most ${maxContentBytes} bytes` }],
      });
    }
    const checked = toDto(type.contentClass, content, { path: 'content', isOpen: type.isOpen });
    type.check?.(checked);
    return json;
  }
}
