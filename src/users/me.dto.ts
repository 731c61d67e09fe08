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
import { audiences, type Audience, type Privacy, type PrivacyChange, type Profile } from './user.js';

const isGiven = (_dto: unknown, value: unknown): boolean => value !== undefined;

/** What of one’s privacy is to change; what is left out stays, null sets the default. */
export class PrivacyDto implements PrivacyChange {
  @ApiPropertyOptional({ enum: audiences, nullable: true, description: 'Who sees when one was last here' })
  @IsOptional()
  @IsIn(audiences)
  lastSeen?: Audience | null;

  @ApiPropertyOptional({ enum: audiences, nullable: true, description: 'Who sees that one is online' })
  @IsOptional()
  @IsIn(audiences)
  online?: Audience | null;

  @ApiPropertyOptional({ enum: audiences, nullable: true, description: 'Who may add one to a group' })
  @IsOptional()
  @IsIn(audiences)
  groups?: Audience | null;

  @ApiPropertyOptional({
    type: Boolean,
    nullable: true,
    description: 'false hides one’s own read cursor from others, and others’ from oneself',
  })
  @IsOptional()
  @IsBoolean()
  readReceipts?: boolean | null;
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

  @ApiPropertyOptional({ type: String, nullable: true, format: 'uri', maxLength: 8_192, description: 'http or https' })
  @IsOptional()
  @MaxLength(8_192)
  @IsUrl({
    protocols: ['http', 'https'],
    require_protocol: true,
    require_tld: false,
    allow_underscores: true,
    validate_length: false,
  })
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
  @ApiProperty({ enum: audiences, description: '`contacts`: whom the user has accepted' })
  lastSeen!: Audience;

  @ApiProperty({ enum: audiences, description: '`contacts`: whom the user has accepted' })
  online!: Audience;

  @ApiProperty({ enum: audiences, description: '`contacts`: whom the user has accepted other than by a group' })
  groups!: Audience;

  @ApiProperty()
  readReceipts!: boolean;
}

@ApiSchema({ name: 'Me' })
export class ProfileSchema implements Profile {
  @ApiProperty({ description: 'The `sub` of the caller’s tokens' })
  id!: string;

  @ApiProperty({ enum: ['person', 'bot'] })
  kind!: Profile['kind'];

  @ApiProperty({ type: String, nullable: true })
  displayName!: string | null;

  @ApiProperty({ type: String, nullable: true })
  avatarUrl!: string | null;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'The application’s own JSON' })
  metadata!: Record<string, unknown>;

  @ApiProperty({ type: () => PrivacySchema })
  privacy!: Privacy;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}
