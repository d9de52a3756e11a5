#pragma once
/*
 * Snapshots for tests, written by hand. A fixture is a text of lines; each says one thing about a host:
 *
 *   # a comment
 *   host web-3 linux 6.18.44 2026-01-31T12:03:11.123Z
 *   source linux-sock-diag elapsed_us=12300 page_bytes=4096
 *   netns host own inode=4026531840
 *   setting net.ipv4.tcp_max_orphans 65536
 *   setting net.ipv4.ip_local_port_range 32768 60999
 *   counter TcpExt.ListenOverflows 12
 *   cgroup 4711 /system.slice/spool.service unit=spool.service
 *   process 812 spoolsvc user=lp uid=7 unit=spool.service fds=1267/4096 state=S command="/usr/sbin/spoolsvc -f"
 *   wait 812 S channel=futex_wait_queue call=futex threads=3
 *   conn LISTEN *:9100 recv_q=0 send_q=128 holders=812:3
 *   conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50122 x1204 recv_q=0 send_q=0 last_ack_recv=4h..14m holders=812:17
 *   gap owners-hidden text="…" remedy="…"
 *
 * Words are parted by spaces. A word, or what follows its "=", may stand in double quotes, in which \n \t \r \e \" \\
 * and \xNN (two lower-case digits) mean what they mean in C: hostile names are written so. Lines may come in any
 * order, but a process stands before what it holds or waits for, and a cgroup or a netns before what names it.
 * Anything that is not understood is an error with the line's number: a fixture with a slip of the pen must not test
 * something else than it says.
 *
 * host NAME OS KERNEL TIME   All of it may be left out: "web-3", "linux", "6.18.44" and the time above, which never
 *   moves. KERNEL may be "?": unknown. "source" without options: the values above.
 *
 * netns NAME [own] [inode=N]   Starts a namespace: settings, counters, connections and processes that follow are in
 * it,
 *   unless they say netns=NAME. Without any such line there is one: "host", own.
 *
 * setting NAME VALUE…   A sysctl by its name in src/model/setting.c; one with several numbers takes that many.
 * counter LINE.NAME VALUE   A counter by its line and name in that file: TCP.orphan, TcpExt.ListenDrops,
 * Tcp.RetransSegs.
 *
 * process PID NAME [KEY=VALUE]…   user= uid= unit= container= command= parent= state= threads= netns= running=
 * cgroup=ID
 *   fds=OPEN/LIMIT (LIMIT may be "none"; without it unknown) hard=LIMIT sockets=N. How many TCP sockets it holds is
 *   counted.
 *
 * wait PID STATE [KEY=VALUE]…   channel= call= target= fd= threads=: where threads of that process wait. Several
 *   lines: several places.
 *
 * conn STATE LOCAL [PEER] [xN] [KEY=VALUE]…   STATE in any spelling. An address is 10.0.0.5:80, [2001:db8::1]:80 or
 * *:80;
 *   no PEER: none, as of a listener.
 *   KEY is the name of any field of struct conn, with or without its unit (recv_q or recv_q_bytes); what is named is
 *   known, with all that shares its presence bit, and nothing else is. timer= none, retransmit, keepalive, time_wait,
 *   persist or delayed_ack. shutdown= receive, send or both. Times are in the field's unit, or with one: 250ms, 14s,
 *   5m, 2h, 1d.
 *   holders=PID:FD,PID:FDe…   the descriptors that refer to it ("e": closed on exec); the uid is the first one's unless
 *   named.
 *   inode=   unique by itself where there are holders, 0 (nobody's) where there are none; "?": unknown
 *   cookie=  unique by itself; "?": unknown
 *   netns=NAME, cgroup=ID, ipv6 (the socket's family where its addresses do not tell)
 *   xN makes N of them: the peer's port counts up (after 65535 the address does), or what vary= names: peer_port,
 *   peer_address, local_port, ports (local and peer), hosts (local_port and peer_address), none. Inodes,
 *   cookies and descriptors count up too. A number may then be a range, FIRST..LAST, spread evenly over the N.
 *
 * gap ID text= remedy=
 */
#include "base/error.h"
#include "model/snapshot.h"

/*
 * Fills an initialised snapshot from the text of a fixture. `name` is what errors call it. Returns 0, or -EINVAL with
 * err->subject "name:line".
 */
int fixture_parse(struct snapshot *snapshot, const char *name, const char *text, struct error *err);

/* As fixture_parse(), from a file. Also returns the errno of reading it. */
int fixture_load(struct snapshot *snapshot, const char *path, struct error *err);

/* For unit tests: initialises and fills the snapshot. A bad fixture ends the program, with its line on stderr. */
void fixture_must(struct snapshot *snapshot, const char *text);
