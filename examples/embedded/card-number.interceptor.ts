import { Injectable } from '@nestjs/common';
import { MessageInterceptor, type InterceptorVerdict, type MessageDraft } from '../../src/index.js';

// 13 to 19 digits, in groups or not; the last four stay, as on a receipt.
const cardNumber = /\b(?:\d[ -]?){9,15}(\d{4})\b/g;

/** Masks card numbers in texts before anybody stores or sees them. */
@Injectable()
export class CardNumberInterceptor extends MessageInterceptor {
  override beforeCommit({ type, content }: MessageDraft): InterceptorVerdict {
    if (type !== 'text') return;
    const text = String(content['text']);
    const masked = text.replace(cardNumber, '**** $1');
    return masked === text ? undefined : { content: { ...content, text: masked } };
  }
}
