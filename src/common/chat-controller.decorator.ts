import { applyDecorators, Controller, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { DeclaredInputGuard } from './declared-input.guard.js';

/**
 * A REST controller of the contract: a token is needed, and what a route does not declare is
 * refused, as on the socket.
 *
 * @param tag groups its routes in the OpenAPI document
 */
export function ChatController(path: string, tag: string): ClassDecorator {
  return applyDecorators(Controller(path), ApiTags(tag), ApiBearerAuth(), UseGuards(DeclaredInputGuard));
}
