import { it } from '@jest/globals';
import type { EventRecord } from '@app/pipeline/api';
import { createTestContext } from '@app/pipeline/testing';
import { fileEvents } from '../../parsers/smb/event-type.js';
import { clickhouseSink } from './index.js';

it('bench', () => {
  const context = createTestContext({ eventTypes: [fileEvents] });
  const sink = clickhouseSink.create(
    { endpoint: 'clickhouse', compression: false, request_timeout: '10s' } as never,
    context,
  );
  const records: EventRecord[] = [];
  for (let i = 0; i < 20000; i++) {
    records.push(
      JSON.parse(
        JSON.stringify({
          event_time: 1790000000000 + i * 7,
          host: `FS${i % 8}`,
          operation: ['Read', 'Update', 'Rename'][i % 3],
          object_type: 'File',
          path: `D:\\Finance\\dept-${i % 40}\\reports\\2026\\quarter-${i % 300}.xlsx`,
          new_path:
            i % 3 === 2 ? `D:\\Finance\\dept-${i % 40}\\reports\\2026\\quarter-${i % 300}-final.xlsx` : '',
          user_name: `CORP\\user${i % 500}`,
          user_sid: `S-1-5-21-1-2-3-${1000 + (i % 500)}`,
          client_ip: `10.0.${i % 4}.${i % 250}`,
          process_name: '',
          process_id: null,
          protocol: 'CIFS',
          protocol_version: '3.1.1',
          share_name: 'Finance',
          unc_path: `\\\\FS01\\Finance\\dept-${i % 40}\\reports\\2026\\quarter-${i % 300}.xlsx`,
          new_unc_path: '',
          volume_id: '',
          sub_operation: '',
          old_value: '',
          new_value: '',
          file_size: i * 13,
          bytes_transferred: null,
          success: true,
          blocked: false,
          tags: [],
          group_id: '',
          group_name: '',
          extra: '{"AgentHost":"FS-AGENT-01"}',
        }),
      ),
    );
  }
  const origins = [0, 1, 2].map((n) => ({
    connectionId: `c${n}`,
    agentSpki: `${n}b`.repeat(32),
    agentHost: `FS-AGENT-0${n}`,
    sourceIp: `10.0.0.${n}`,
  }));
  for (const size of [10, 100, 1000]) {
    const batches = [];
    for (let i = 0; i + size <= records.length; i += size) {
      const half = size >> 1;
      batches.push({
        type: fileEvents,
        records: records.slice(i, i + size),
        runs: [
          { origin: origins[0]!, receivedAt: 1, count: half },
          { origin: origins[1]!, receivedAt: 2, count: size - half },
        ],
      });
    }
    let bytes = 0;
    for (let round = 0; round < 12; round++) {
      const t = process.hrtime.bigint();
      const c = process.cpuUsage();
      bytes = 0;
      for (const [i, b] of batches.entries()) bytes += sink.encode(b, `gw/0001/${i}`).bytes.length;
      const us = Number(process.hrtime.bigint() - t) / 1e3;
      if (round >= 9)
        process.stderr.write(
          `${size}: ${(us / records.length).toFixed(3)} us/event wall, ${(process.cpuUsage(c).user / records.length).toFixed(3)} cpu, ${(bytes / records.length).toFixed(0)} B/row\n`,
        );
    }
  }
}, 60000);
