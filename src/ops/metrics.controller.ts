import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../auth/index.js';
import { Metrics } from '../metrics/index.js';

/**
 * For Prometheus. It needs no token, so turn it off, or move it to the second port, if strangers
 * can reach this one.
 */
@ApiTags('operations')
@Public()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @ApiOperation({ summary: 'Numbers for Prometheus', description: 'Unless `METRICS_ENABLED` is off.', security: [] })
  @ApiOkResponse({ description: 'Text exposition format', content: { 'text/plain': { schema: { type: 'string' } } } })
  async scrape(@Res() response: Response): Promise<void> {
    const { contentType, text } = await this.metrics.scrape();
    response.type(contentType).send(text);
  }
}
