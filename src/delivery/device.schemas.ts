import { ApiProperty } from '@nestjs/swagger';

export class DeviceSchema {
  @ApiProperty()
  deviceId!: string;

  @ApiProperty({ format: 'date-time', description: 'When it last connected or disconnected' })
  lastSeenAt!: string;

  @ApiProperty({ description: 'Whether a socket of it is connected, on any node' })
  connected!: boolean;
}

export class DevicePageSchema {
  @ApiProperty({ type: [DeviceSchema] })
  items!: DeviceSchema[];

  @ApiProperty({ type: String, nullable: true, description: 'Null at the end' })
  nextCursor!: string | null;
}
