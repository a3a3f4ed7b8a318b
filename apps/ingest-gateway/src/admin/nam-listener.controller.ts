import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { addAgentSchema, type AddAgentBody, type AgentView } from './agent.view.js';
import { AjvPipe } from './http/ajv.pipe.js';
import { NamListenerService, type EnrollmentTokenView } from './nam-listener.service.js';
import type { StatusView } from './status.view.js';

/** Enrollment, allowlist and state of the listener. */
@Controller('api/v1/nam-listener')
export class NamListenerController {
  constructor(@Inject(NamListenerService) private readonly service: NamListenerService) {}

  /** A new token; every earlier one ends with it. */
  @Post('enrollment-token')
  createToken(): Promise<EnrollmentTokenView> {
    return this.service.createToken();
  }

  /** The allowlist. */
  @Get('agents')
  agents(): Promise<AgentView[]> {
    return this.service.agents();
  }

  /** Adds an agent whose key is known, without enrollment. */
  @Post('agents')
  addAgent(@Body(new AjvPipe(addAgentSchema, 'body')) body: AddAgentBody): Promise<AgentView> {
    return this.service.addAgent(body);
  }

  /** Removes an agent and closes its connections. */
  @Delete('agents/:spki_hash')
  @HttpCode(204)
  removeAgent(@Param('spki_hash') spkiHash: string): Promise<void> {
    return this.service.removeAgent(spkiHash);
  }

  /** All that operators ask for first. */
  @Get('status')
  status(): StatusView {
    return this.service.status();
  }
}
