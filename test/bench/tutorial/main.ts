/**
 * A target of `npm run bench`: the chat server that most Nest tutorials end with, written as they
 * write it.
 *
 * Generous to them: no DTO validation, no look-up of the conversation or the sender, no log line
 * per message.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChatGateway } from './chat.gateway.js';
import { ChatService } from './chat.service.js';
import { Message } from './message.entity.js';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env['DATABASE_URL'],
      entities: [Message],
      synchronize: true,
    }),
    TypeOrmModule.forFeature([Message]),
  ],
  providers: [ChatGateway, ChatService],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error'] });
app.enableShutdownHooks();
await app.listen(Number(process.env['PORT']), '127.0.0.1');
process.stdout.write('ready\n');
