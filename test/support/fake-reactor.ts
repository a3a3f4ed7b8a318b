/**
 * Module of a child process that speaks the messages of a reactor; what a client writes tells it what to do, and it
 * answers in one line. The gateway id `stubborn` makes it never drain, `slow` only when little time is left or on SIGUSR2.
 */
export const FAKE_REACTOR = `
const say = (message) => process.send(message);
let configuration;
let allowlist = [];
const waiting = new Map();
let lastId = 0;
const ask = (name, question, done) => {
  waiting.set((lastId += 1), done);
  say({ type: 'request', id: lastId, name, question });
};
const sockets = new Set();
const byId = new Map();
const silences = {};
let drained;
process.on('SIGTERM', () => {});
process.on('SIGUSR2', () => drained());
process.on('message', (message, socket) => {
  if (message.type === 'configure') {
    configuration = message.configuration;
    allowlist = configuration.allowlist;
    if (configuration.gatewayId === 'broken') { say({ type: 'failed', reason: 'no such plugin' }); process.exit(1); }
    say({ type: 'ready' });
  }
  if (message.type === 'allowlist') allowlist = message.entries;
  if (message.type === 'settings') configuration.settings = message.settings;
  if (message.type === 'credit') Object.assign(configuration.settings.flow, message.credit);
  if (message.type === 'answer') waiting.get(message.id)(message.answer);
  if (message.name === 'metrics') say({ type: 'answer', id: message.id, answer: [{ name: 'm' }] });
  if (message.type === 'cut-connection') byId.get(message.id)?.destroy();
  if (message.type === 'end-connection') byId.get(message.id)?.end(message.reason);
  if (message.name === 'silences' && configuration.gatewayId !== 'silent') {
    const told = Object.fromEntries(message.question.map((id) => [id, silences[id] ?? 0]));
    say({ type: 'answer', id: message.id, answer: told });
  }
  if (message.type === 'drain') {
    for (const socket of sockets) socket.end();
    if (configuration.gatewayId === 'stubborn') return;
    const done = () => {
      say({ type: 'drained', reports: [{ pipeline: 'p', written: 1, left: 0 }] });
      setImmediate(() => process.exit(0));
    };
    if (configuration.gatewayId !== 'slow' || message.deadline < Date.now() + 60_000) done();
    else drained = done;
  }
  if (message.type === 'connection' && socket) {
    sockets.add(socket);
    byId.set(message.id, socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      say({ type: 'agent-disconnected', spkiHash: 'a', connectionId: message.id });
      say({ type: 'connection-closed', id: message.id });
    });
    say({ type: 'agent-connected', spkiHash: 'a', connectionId: message.id });
    socket.on('data', (data) => {
      const command = String(data);
      if (command === 'die') process.kill(process.pid, 'SIGKILL');
      if (command === 'violate') say({ type: 'connection-violated', id: message.id, reason: 'test' });
      if (command.startsWith('silent for ')) {
        silences[message.id] = Number(command.slice(11));
        socket.write('noted');
      }
      if (command === 'identify') say({ type: 'connection-identified', id: message.id, key: 'a' });
      if (command === 'index') socket.write(String(configuration.index));
      if (command === 'share') {
        const { bufferMaxEvents, sinkWriters, bufferBytesShare } = configuration.settings.flow;
        socket.write([bufferMaxEvents, sinkWriters, bufferBytesShare].join(' '));
      }
      if (command === 'want') {
        ask('write-permit', 'p/s', () => socket.write('granted'));
      }
      if (command === 'done') say({ type: 'write-permit-done', pool: 'p/s' });
      if (command === 'pressure') {
        const counts = { inFlight: 1000, deliveredByType: {}, deadLettersByCode: {} };
        const pipelines = [{ name: 'p', counts, queue: { rows: 0 }, backPressure: true }];
        say({ type: 'status', status: { pipelines, connections: 1, rssBytes: 1 } });
      }
      if (command === 'who') socket.write(configuration.epoch + ' ' + process.pid);
      if (command === 'list') socket.write(String(allowlist.length));
      if (command === 'enroll') {
        const request = { code: 'c', spkiHash: 'a', sourceIp: '1', hostname: 'h' };
        ask('enroll', request, (outcome) => socket.write(outcome.status));
      }
    });
  }
});
say({ type: 'hello' });
`;
