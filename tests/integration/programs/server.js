// node server.js MODE PORT: a server whose sockets stay half-open (allowHalfOpen: true) after the peer's end.
//   never-ends   reads to the end and never ends its own side
//   streams      after the peer's end, writes on and on
//   answers      after the peer's end, gives a long answer, then ends
//   keeps        the same as never-ends, with keepalive
//   echoes       answers what it is told, with keepalive
const net = require('net');

const [mode, port] = process.argv.slice(2);
const handlers = {
    'never-ends': socket => socket.resume(),
    'keeps': socket => {
        socket.setKeepAlive(true, 5000);
        socket.resume();
    },
    'streams': socket => {
        socket.resume();
        const timer = setInterval(() => socket.write('x'.repeat(2000)), 100);
        socket.on('close', () => clearInterval(timer));
    },
    'answers': socket => {
        socket.resume();
        socket.on('end', () => socket.end('x'.repeat(8 << 20)));
    },
    'echoes': socket => {
        socket.setKeepAlive(true, 2000);
        socket.on('data', data => socket.write(data));
        socket.on('end', () => socket.end());
    },
};
net.createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {});
    handlers[mode](socket);
}).listen({ port: Number(port), host: '0.0.0.0' });
