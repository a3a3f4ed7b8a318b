import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { listOf } from '../openapi/component.js';
import { Doc } from '../openapi/doc.decorator.js';
import {
  addAgentSchema,
  agentViewSchema,
  deniedAgentSchema,
  exampleAgent,
  exampleDenied,
  type AddAgentBody,
  type AgentView,
  type DeniedAgentView,
} from './agent.view.js';
import { AjvPipe } from './http/ajv.pipe.js';
import { FromCaller, type Caller } from './http/caller.js';
import { NamListenerService } from './nam-listener.service.js';
import { exampleStatus, statusViewSchema } from './status.schema.js';
import type { StatusView } from './status.view.js';

/** Allowlist and state of the listener. */
@Controller('api/v1/nam-listener')
export class NamListenerController {
  constructor(@Inject(NamListenerService) private readonly service: NamListenerService) {}

  /** The allowlist. */
  @Doc({
    tag: 'Agents',
    access: 'reader',
    summary: 'List agents',
    description: 'Agents that may stream, by hostname.',
    answer: {
      status: 200,
      description: 'The agents.',
      schema: listOf(agentViewSchema),
      example: [exampleAgent],
    },
  })
  @Get('agents')
  agents(): Promise<AgentView[]> {
    return this.service.agents();
  }

  /** Adds an agent whose key is known, without enrollment. */
  @Doc({
    tag: 'Agents',
    access: 'admin',
    summary: 'Add an agent by hand',
    description: 'For an agent whose key is known; one that is on the list already gets the hostname.',
    body: {
      schema: addAgentSchema,
      example: { spkiHash: exampleAgent.spkiHash, hostname: exampleAgent.hostname },
    },
    answer: {
      status: 201,
      description: 'The agent.',
      schema: agentViewSchema,
      example: { ...exampleAgent, sourceIp: '', lastSeenAt: null, agentVersion: null },
    },
    errors: ['SPKI_HASH_INVALID', 'HOSTNAME_INVALID', 'AGENT_DENIED'],
  })
  @Post('agents')
  addAgent(
    @FromCaller() caller: Caller,
    @Body(new AjvPipe<AddAgentBody>(addAgentSchema, 'body')) body: AddAgentBody,
  ): Promise<AgentView> {
    return this.service.addAgent(caller, body);
  }

  /** Removes an agent and closes its connections. */
  @Doc({
    tag: 'Agents',
    access: 'admin',
    summary: 'Remove an agent',
    description:
      'Its open connections are closed at once. To come back it has to enroll with a token made after its removal.',
    params: { spki_hash: { description: 'SPKI hash of the agent.', example: exampleAgent.spkiHash } },
    answer: { status: 204, description: 'It may not stream any more.' },
    errors: ['SPKI_HASH_INVALID', 'AGENT_UNKNOWN'],
  })
  @Delete('agents/:spki_hash')
  @HttpCode(204)
  removeAgent(@FromCaller() caller: Caller, @Param('spki_hash') spkiHash: string): Promise<void> {
    return this.service.removeAgent(caller, spkiHash);
  }

  /** Denied keys. */
  @Doc({
    tag: 'Agents',
    access: 'reader',
    summary: 'List denied keys',
    description: 'Keys that no token enrolls, oldest denial first.',
    answer: {
      status: 200,
      description: 'The denied keys.',
      schema: listOf(deniedAgentSchema),
      example: [exampleDenied],
    },
  })
  @Get('denied-agents')
  deniedAgents(): Promise<DeniedAgentView[]> {
    return this.service.deniedAgents();
  }

  /** Refuses a key for good. */
  @Doc({
    tag: 'Agents',
    access: 'admin',
    summary: 'Deny an agent',
    description:
      'Removes the agent if it is on the list, and refuses its key with every token until it is allowed.',
    params: { spki_hash: { description: 'SPKI hash of the key.', example: exampleAgent.spkiHash } },
    answer: {
      status: 200,
      description: 'The denied key.',
      schema: deniedAgentSchema,
      example: exampleDenied,
    },
    errors: ['SPKI_HASH_INVALID'],
  })
  @Post('agents/:spki_hash/deny')
  @HttpCode(200)
  denyAgent(@FromCaller() caller: Caller, @Param('spki_hash') spkiHash: string): Promise<DeniedAgentView> {
    return this.service.denyAgent(caller, spkiHash);
  }

  /** Ends a denial. */
  @Doc({
    tag: 'Agents',
    access: 'admin',
    summary: 'Allow a denied agent',
    description: 'Ends the denial of a key. The agent then enrolls with a token made after its removal.',
    params: { spki_hash: { description: 'SPKI hash of the key.', example: exampleAgent.spkiHash } },
    answer: { status: 204, description: 'A token may enroll it again.' },
    errors: ['SPKI_HASH_INVALID', 'AGENT_NOT_DENIED'],
  })
  @Post('agents/:spki_hash/allow')
  @HttpCode(204)
  allowAgent(@FromCaller() caller: Caller, @Param('spki_hash') spkiHash: string): Promise<void> {
    return this.service.allowAgent(caller, spkiHash);
  }

  /** All that operators ask for first. */
  @Doc({
    tag: 'Status',
    access: 'reader',
    summary: 'Show the state of everything',
    answer: {
      status: 200,
      description: 'Listener, reactors, pipelines, ClickHouse and the settings in force.',
      schema: statusViewSchema,
      example: exampleStatus,
    },
  })
  @Get('status')
  status(): StatusView {
    return this.service.status();
  }
}
