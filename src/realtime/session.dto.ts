import { IsNotEmpty, IsString } from 'class-validator';

export class RefreshTokenDto {
  @IsString()
  @IsNotEmpty()
  token!: string;
}

/** A payload without properties: nothing, or `{}`. */
export class EmptyDto {}
