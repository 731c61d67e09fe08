import { CanActivate, ExecutionContext, Injectable } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import jwt from 'jsonwebtoken';
import type { Socket } from 'socket.io';

@Injectable()
export class WsJwtGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const client = context.switchToWs().getClient<Socket>();
    try {
      client.data.user = jwt.verify(client.handshake.auth['token'], process.env['JWT_SECRET']!);
      return true;
    } catch {
      throw new WsException('Unauthorized');
    }
  }
}
