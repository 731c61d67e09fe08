import { IsNotEmpty, IsString, MaxLength } from 'class-validator';

export class RefreshTokenDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(8_192)
  token!: string;
}

/** A payload without properties: nothing, or `{}`. */
export class EmptyDto {}
