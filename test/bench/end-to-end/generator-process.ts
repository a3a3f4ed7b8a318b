import { serve } from './child.js';
import { makeLines, type LineCorpus } from './corpora.js';
import type { GeneratorAnswer, GeneratorQuestion } from './generator-messages.js';
import { Pacer } from './pacer.js';
import { Sender } from './sender.js';

/** The sender of a scenario, a process of its own: its CPU time is in nobody's figures. */
const NOTHING: GeneratorAnswer = { events: 0, bytes: 0, seconds: 0, cpuSeconds: 0 };
const AT_ONCE = 20;

let corpus: LineCorpus = { bytes: Buffer.alloc(0), ends: new Uint32Array() };
let senders: Sender[] = [];
let acks = false;

serve<GeneratorQuestion, GeneratorAnswer>(async (question) => {
  switch (question.do) {
    case 'prepare':
      corpus = makeLines(question.corpus);
      return { ...NOTHING, events: corpus.ends.length, bytes: corpus.bytes.length };
    case 'open':
      await open(question);
      return NOTHING;
    case 'flood': {
      const until = performance.now() + question.ms;
      return timed(() => Promise.all(senders.map((sender) => sender.flood(until))));
    }
    case 'pace': {
      if (!acks) throw new Error('Latency needs connections with Acks.');
      const pacer = new Pacer(senders);
      const sent = await timed(() => pacer.run(question.ms, question.perSecond));
      return { ...sent, latency: pacer.latency() };
    }
    case 'close':
      await Promise.all(senders.map((sender) => sender.close()));
      senders = [];
      return NOTHING;
  }
});

async function open(question: GeneratorQuestion & { do: 'open' }): Promise<void> {
  acks = question.acks;
  const { port, agents } = question;
  for (let i = 0; i < agents.length; i += AT_ONCE) {
    const group = agents.slice(i, i + AT_ONCE);
    const opened = group.map((agent, j) => {
      const start = Math.floor(((i + j) * corpus.ends.length) / agents.length);
      return Sender.open(port, agent, corpus, start);
    });
    senders.push(...(await Promise.all(opened)));
  }
}

/** What was sent while something ran, and what it took. */
async function timed(work: () => Promise<unknown>): Promise<GeneratorAnswer> {
  const count = (of: 'sent' | 'bytes'): number => senders.reduce((sum, sender) => sum + sender[of], 0);
  const events = count('sent');
  const bytes = count('bytes');
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    events: count('sent') - events,
    bytes: count('bytes') - bytes,
    seconds,
    cpuSeconds: (user + system) / 1e6,
  };
}
