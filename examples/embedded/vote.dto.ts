import { IsInt, Max, Min } from 'class-validator';
import { IsId } from '../../src/index.js';

/** The payload of `acme-vote`. */
export class VoteDto {
  @IsId()
  conversationId!: string;

  /** The message that carries the poll. */
  @IsId()
  pollId!: string;

  /** Counts from 0. */
  @IsInt()
  @Min(0)
  @Max(9)
  option!: number;
}
