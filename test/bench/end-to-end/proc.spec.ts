import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cpuSeconds, descendants, machineCpuSeconds, peakRssBytes } from './proc.js';

const onLinux = existsSync('/proc/self/stat') ? describe : describe.skip;

onLinux('/proc', () => {
  it('counts the CPU time of a process, of all its threads', () => {
    const before = cpuSeconds(process.pid);
    const machine = machineCpuSeconds();
    const start = process.cpuUsage();
    while (process.cpuUsage(start).user < 200_000);
    const spent = cpuSeconds(process.pid) - before;
    expect(spent).toBeGreaterThan(0.15);
    expect(machineCpuSeconds() - machine).toBeGreaterThan(0.15);
  });

  it('gives the peak of resident memory', () => {
    expect(peakRssBytes(process.pid)).toBeGreaterThan(10 * 2 ** 20);
  });

  it('finds the processes that a process has started', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    expect(descendants(process.pid)).toContain(child.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(descendants(process.pid)).not.toContain(child.pid);
  });
});
