import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class Message {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  conversationId!: string;

  @Column()
  senderId!: string;

  @Column('text')
  content!: string;

  @CreateDateColumn()
  createdAt!: Date;
}
