"""Captures of any size whose shape looks for work that grows with the square: many of one kind, all different or all
the same. `SHAPES` maps a name to a generator of lines for n rows."""
import json

SS = "State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"


def address(i, first=10):
    return f"{first}.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"


def ss(row):
    def lines(n):
        yield SS
        for i in range(n):
            yield row(i)
    return lines


def close_wait(local="10.0.0.1:80", peer=None, users=None):
    def row(i):
        owner = users(i) if users else f'users:(("srv",pid=812,fd={i}))'
        near = local(i) if callable(local) else local
        return f"CLOSE-WAIT 1 0 {near} {peer(i) if peer else f'{address(i)}:{1024 + i % 60000}'} {owner}\n"
    return ss(row)


def pairs(i):
    near, far = "10.0.0.1:80", f"10.0.{i // 2 // 60000}.1:{1024 + i // 2 % 60000}"
    state, ends = ("CLOSE-WAIT", (near, far)) if i % 2 else ("FIN-WAIT-2", (far, near))
    return f'{state} 0 0 {ends[0]} {ends[1]} users:(("x{i % 50}",pid={i % 5000 + 1},fd=9))\n'


def one_row_of_many_holders(n):
    yield SS + "CLOSE-WAIT 0 0 10.0.0.1:80 10.0.0.2:1025 users:("
    yield ",".join(f'("p{i}",pid={i + 1},fd=3)' for i in range(n)) + ")\n"
    yield "CLOSE-WAIT 0 0 10.0.0.1:80 10.0.0.3:1026\n" * 4


def snapshots(n):
    for i in range(n // 10):
        yield SS
        for port in range(10):
            yield f'CLOSE-WAIT 0 0 10.0.0.1:80 10.0.0.3:{port + 1025} users:(("a",pid=1,fd=3))\n'


def windows(n):
    yield "\nActive Connections\n\n  Proto  Local Address          Foreign Address        State           PID\n"
    for i in range(n):
        port, pid = 1 + i % 65535, 4 * (i % 100000)
        yield f"  TCP    10.0.0.5:{port}         {address(i)}:{port}      CLOSE_WAIT      {pid}\n"


def colliding_names(n):
    """Java's String.hashCode() of "Aa" and "BB" is the same: names that collide in a hash without a key."""
    yield "\nActive Connections\n\n  Proto  Local Address          Foreign Address        State\n"
    for i in range(n):
        name = "".join("Aa" if i >> bit & 1 else "BB" for bit in range(20))
        yield f"  TCP    10.0.0.5:9100          {address(i)}:50122        CLOSE_WAIT\n [{name}]\n"


def cut_addresses(n):
    yield "Active Internet connections (w/o servers)\n"
    yield "Proto Recv-Q Send-Q Local Address           Foreign Address         State      \n"
    for i in range(n):
        far = f"::ffff:{address(i)}:{1 + i % 65535}"
        yield f"tcp6       1      0 2001:db8:1234:5678:{i % 65536:04x} {far} CLOSE_WAIT \n"


def lsof(n):
    yield "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n"
    for i in range(n):
        yield f"java {i // 3 + 1} root {i}u IPv4 {i} 0t0 TCP 10.0.0.1:80->{address(i)}:{1 + i % 65535} (CLOSE_WAIT)\n"


def powershell(n):
    rows = ({"LocalAddress": "10.0.0.1", "LocalPort": 1 + i % 65535, "RemoteAddress": address(i),
             "RemotePort": 1 + i % 65535, "State": 8, "OwningProcess": i} for i in range(n))
    yield "[" + ",".join(map(json.dumps, rows)) + "]"


def deep_json(n):
    yield ('[{"LocalAddress":"10.0.0.1","LocalPort":80,"RemoteAddress":"10.0.0.2","RemotePort":8,"State":8,'
           '"OwningProcess":1,"x":' + "[" * n + "]" * n + "}]")


def proc_net_tcp(n):
    yield ("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n")
    for i in range(n):
        yield (f"{i:4}: 0100007F:{1 + i % 65535:04X} {i + 16777216:08X}:{1 + i % 65535:04X} 08 00000000:00000000 "
               f"00:00000000 00000000 0 0 {i} 1 0 20 4 30 10 -1\n")


HEAD = json.dumps({"type": "snapshot", "schema": "tcpwhy.snapshot/1", "taken_at_ms": 1795871186490, "os": "linux",
                   "source": "linux-sock-diag"}) + "\n"


def saved(*tables):
    """Each of `tables` makes the object of row i. Connections come last."""
    def lines(n):
        yield HEAD
        for table in tables:
            for i in range(n):
                yield json.dumps(table(i)) + "\n"
    return lines


def netns(i):
    return {"type": "netns", "name": f"n{i}", "inode": i + 1, "settings": {}, "counters": {}}


def in_netns(i, **more):
    return {"type": "connection", "netns": i, "state": "CLOSE_WAIT", "local": "10.0.0.1", "local_port": 80,
            "remote": "10.0.0.2", "remote_port": 1 + i % 65535, "recv_q_bytes": 0, "send_q_bytes": 0, **more}


def after_rows(text):
    """Rows that are understood, and `text(n)` among them."""
    def lines(n):
        yield SS + "CLOSE-WAIT 0 0 10.0.0.1:80 10.0.0.2:1026\n" * 4
        yield text(n)
        yield "\n" + "CLOSE-WAIT 0 0 10.0.0.1:80 10.0.0.2:1027\n" * 4
    return lines


SHAPES = {
    "ss: one owner": close_wait(),
    "ss: one peer": close_wait(peer=lambda i: f"192.168.0.1:{1 + i % 65535}",
                              local=lambda i: f"10.0.{i // 65535}.1:80"),
    "ss: all ports differ": close_wait(local=lambda i: f"10.0.0.1:{1 + i % 65535}"),
    "ss: all owners differ": close_wait(users=lambda i: f'users:(("p{i}",pid={i + 1},fd=3))'),
    "ss: all names equal": close_wait(users=lambda i: f'users:(("srv",pid={i + 1},fd=3))'),
    "ss: no owner": close_wait(users=lambda i: ""),
    "ss: one row again and again": close_wait(peer=lambda i: "1.2.3.4:5"),
    "ss: control groups": close_wait(users=lambda i: f"ino:{i + 1} sk:{i + 1:x} cgroup:/system.slice/u{i}.service"),
    "ss: both ends": ss(pairs),
    "ss: listeners": ss(lambda i: f"LISTEN 129 128 {address(i // 1000)}:{1 + i % 65535} 0.0.0.0:*\n"),
    "ss: a row of many holders": one_row_of_many_holders,
    "ss: many snapshots": snapshots,
    "netstat -ano (Windows)": windows,
    "netstat -anb, names collide": colliding_names,
    "netstat, addresses cut": cut_addresses,
    "lsof": lsof,
    "PowerShell, JSON": powershell,
    "PowerShell, deep JSON": deep_json,
    "/proc/net/tcp": proc_net_tcp,
    "saved: namespaces": saved(netns, in_netns),
    "saved: gaps": saved(lambda i: {"type": "gap", "id": f"g{i}", "text": "t", "remedy": "r"},
                         lambda i: {"type": "netns", "name": "n", "inode": 7, "settings": {}, "counters": {}}
                         if i == 0 else {"type": "unknown"}),
    "a long line": after_rows(lambda n: "a" * n * 50),
    "blanks": after_rows(lambda n: " " * n * 50),
    "NULs": after_rows(lambda n: "\0" * n * 50),
    "carriage returns": after_rows(lambda n: "a\r" * n * 25),
}


def write(shape, rows, path):
    with open(path, "w", encoding="utf-8", newline="") as out:
        for line in SHAPES[shape](rows):
            out.write(line)
