import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import {
  IsBoolean,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  IsUrl,
  Length,
  MaxLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { audiences, type Audience, type Privacy, type Profile } from './user.js';

const isGiven = (_dto: unknown, value: unknown): boolean => value !== undefined;

export class PrivacyDto implements Partial<Privacy> {
  @ApiPropertyOptional({ enum: audiences, description: 'Who sees when one was last here' })
  @ValidateIf(isGiven)
  @IsIn(audiences)
  lastSeen?: Audience;

  @ApiPropertyOptional({ enum: audiences, description: 'Who sees that one is online' })
  @ValidateIf(isGiven)
  @IsIn(audiences)
  online?: Audience;

  @ApiPropertyOptional({ description: 'false hides one’s own read cursor from others, and others’ from oneself' })
  @ValidateIf(isGiven)
  @IsBoolean()
  readReceipts?: boolean;
}

/** What of one's profile is to change; what is left out stays. */
export class UpdateMeDto {
  #privacy?: PrivacyDto;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    minLength: 1,
    maxLength: 100,
    description: 'null takes it away',
  })
  @IsOptional()
  @IsString()
  @Length(1, 100)
  displayName?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, format: 'uri', maxLength: 2_048, description: 'http or https' })
  @IsOptional()
  @MaxLength(2_048)
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  avatarUrl?: string | null;

  @ApiPropertyOptional({ type: () => PrivacyDto })
  @ValidateIf(isGiven)
  @IsObject()
  @ValidateNested()
  get privacy(): PrivacyDto | undefined {
    return this.#privacy;
  }

  // Payloads are assigned property by property: here a plain object becomes one whose rules are
  // known.
  set privacy(given: PrivacyDto | undefined) {
    const isPlain = typeof given === 'object' && given !== null && !Array.isArray(given);
    this.#privacy = isPlain ? Object.assign(new PrivacyDto(), given) : given;
  }
}

@ApiSchema({ name: 'Privacy' })
export class PrivacySchema implements Privacy {
  @ApiProperty({ enum: audiences })
  lastSeen!: Audience;

  @ApiProperty({ enum: audiences })
  online!: Audience;

  @ApiProperty()
  readReceipts!: boolean;
}

@ApiSchema({ name: 'Me' })
export class ProfileSchema implements Profile {
  @ApiProperty({ description: 'The `sub` of the caller’s tokens' })
  id!: string;

  @ApiProperty({ type: String, nullable: true })
  displayName!: string | null;

  @ApiProperty({ type: String, nullable: true })
  avatarUrl!: string | null;

  @ApiProperty({ type: () => PrivacySchema })
  privacy!: Privacy;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}
