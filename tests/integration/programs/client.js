// node client.js MODE HOST PORT COUNT: connections of a client.
//   half-closes   says its last word and waits for the server's
//   pipelines     asks Redis for far more than it reads: it never reads
const net = require('net');

const [mode, host, port, count] = process.argv.slice(2);
for (let i = 0; i < Number(count); i++) {
    const socket = net.connect({ host, port: Number(port), allowHalfOpen: true });
    socket.on('error', () => {});
    if (mode === 'half-closes') {
        socket.resume();
        socket.end('last word\r\n');
    } else {
        socket.pause();
        socket.write('GET big\r\n'.repeat(2000));
    }
}
setInterval(() => {}, 1000);
