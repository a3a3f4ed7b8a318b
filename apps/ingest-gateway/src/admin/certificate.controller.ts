import { Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { Doc } from '../openapi/doc.decorator.js';
import { CertificateAdmin, confirmedKeySchema, type ConfirmedKeyView } from './certificate-admin.service.js';
import { FromCaller, type Caller } from './http/caller.js';

/** The server's certificate. */
@Controller('api/v1/nam-listener/certificate')
export class CertificateController {
  constructor(@Inject(CertificateAdmin) private readonly certificates: CertificateAdmin) {}

  /** Accepts another server key. */
  @Doc({
    tag: 'Enrollment',
    access: 'admin',
    summary: 'Confirm a changed server key',
    description:
      'Agents pin the key of the server. When the certificate files hold another key, it has to be confirmed: new ' +
      'connections then get it, and tokens that name the old key are revoked. Agents that pinned the old key have to ' +
      'enroll again.',
    answer: {
      status: 200,
      description: 'Both keys, and the tokens that ended.',
      schema: confirmedKeySchema,
      example: {
        spkiHash: '5'.repeat(64),
        previousSpkiHash: '4'.repeat(64),
        revokedTokens: ['0f1e2d3c4b5a'],
      },
    },
    errors: ['CERTIFICATE_UNCHANGED', 'LISTENER_NOT_READY'],
  })
  @Post('confirm')
  @HttpCode(200)
  confirm(@FromCaller() caller: Caller): Promise<ConfirmedKeyView> {
    return this.certificates.confirm(caller);
  }
}
