import { Injectable } from '@nestjs/common';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsNotEmpty, IsString, MaxLength } from 'class-validator';
import { MessageType } from '../../src/index.js';

/** `{ question, options }`: what a client sends with `type: 'acme.poll'`. */
export class PollContent {
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  question!: string;

  @IsArray()
  @ArrayMinSize(2)
  @ArrayMaxSize(10)
  @ArrayUnique()
  @IsString({ each: true })
  @MaxLength(100, { each: true })
  options!: string[];
}

/**
 * A poll is a message like any other: ordered, idempotent, in the history, delivered later to who
 * was away.
 */
@Injectable()
export class PollMessageType extends MessageType<PollContent> {
  readonly name = 'acme.poll';
  readonly contentClass = PollContent;
}
