import { Delete, Get, HttpCode, HttpStatus, Param, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { ApiErrors, ChatController, DtoPipe, QueryPipe, type Page } from '../common/index.js';
import { DevicePageDto, DeviceParamDto } from './device.dto.js';
import { DevicePageSchema } from './device.schemas.js';
import { DeviceService, type Device } from './device.service.js';

/** The caller's devices. */
@ChatController('v1/me/devices', 'me')
export class DeviceController {
  constructor(private readonly devices: DeviceService) {}

  @Get()
  @ApiOperation({ summary: 'The devices of the caller' })
  @ApiOkResponse({ type: DevicePageSchema })
  @ApiErrors('VALIDATION_FAILED')
  list(@CurrentActor() actor: Actor, @Query(new QueryPipe()) query: DevicePageDto): Promise<Page<Device>> {
    return this.devices.list(actor, query);
  }

  @Delete(':deviceId')
  @ApiOperation({
    summary: 'Disconnects and forgets a device',
    description:
      'Its sockets get `TOKEN_REVOKED` and are closed; tokens issued until now, or within this second, open no session of ' +
      'this device any more. REST and other devices are not affected: against a thief use `DELETE /v1/me/sessions`.',
  })
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiNoContentResponse({ description: 'The device is disconnected and forgotten' })
  @ApiErrors('NOT_FOUND', 'VALIDATION_FAILED')
  forget(@CurrentActor() actor: Actor, @Param(new DtoPipe()) { deviceId }: DeviceParamDto): Promise<void> {
    return this.devices.forget(actor, deviceId);
  }
}
