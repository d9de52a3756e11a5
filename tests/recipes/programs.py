"""The recipes of src/knowledge/pages/closing.md as programs that a test can drive.

Each program connects to 127.0.0.1:PORT, writes BYTES bytes, prints "ready" and waits for a line on its
standard input; then it closes the connection by the recipe with the limit LIMIT_MS, prints "ended" when the
recipe says that the peer has ended its side, "limit" otherwise, and lives on until its standard input ends, so
that a descriptor it has leaked can be seen.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parents[2] / "src/knowledge/pages/closing.md"
BUILD_LIMIT_S = 180

C_DRIVER = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    (void)argc;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])) };
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&peer, sizeof peer) < 0)
        return 2;
    size_t size = (size_t)atoi(argv[2]);
    char *bytes = calloc(size, 1);
    for (size_t sent = 0; sent < size;) {
        ssize_t more = send(fd, bytes + sent, size - sent, MSG_NOSIGNAL);
        if (more < 0)
            return 2;
        sent += (size_t)more;
    }
    free(bytes);
    puts("ready");
    fflush(stdout);
    getchar();
    puts(close_gracefully(fd, atoi(argv[3])) == 0 ? "ended" : "limit");
    fflush(stdout);
    while (getchar() != EOF) {
    }
}
"""

EPOLL_DRIVER = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    (void)argc;
    struct conn conn = { .fd = socket(AF_INET, SOCK_STREAM, 0) };
    struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])) };
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(conn.fd, (struct sockaddr *)&peer, sizeof peer) < 0)
        return 2;
    size_t size = (size_t)atoi(argv[2]);
    char *bytes = calloc(size + 1, 1);
    for (size_t sent = 0; sent < size;) {
        ssize_t more = send(conn.fd, bytes + sent, size - sent, MSG_NOSIGNAL);
        if (more < 0)
            return 2;
        sent += (size_t)more;
    }
    free(bytes);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event writable = { .events = EPOLLIN | EPOLLOUT, .data.ptr = &conn };
    epoll_ctl(epoll, EPOLL_CTL_ADD, conn.fd, &writable);
    puts("ready");
    fflush(stdout);
    getchar();
    begin_closing(epoll, &conn, atoi(argv[3]));
    while (conn.fd >= 0) {
        struct epoll_event event;
        int wait_ms = check_closing_limit(&conn);
        if (conn.fd >= 0 && epoll_wait(epoll, &event, 1, wait_ms) == 1)
            on_closing_event(event.data.ptr);
    }
    puts(conn.peer_ended ? "ended" : "limit");
    fflush(stdout);
    while (getchar() != EOF) {
    }
}
"""

PYTHON_DRIVER = r"""
import sys
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(bytes(int(sys.argv[2])))
print("ready", flush=True)
sys.stdin.readline()
print("ended" if close_gracefully(sock, int(sys.argv[3]) / 1000) else "limit", flush=True)
sys.stdin.read()
"""

JAVA_DRIVER = r"""
public class Driver {
    public static void main(String[] args) throws Exception {
        java.net.Socket socket = new java.net.Socket("127.0.0.1", Integer.parseInt(args[0]));
        socket.getOutputStream().write(new byte[Integer.parseInt(args[1])]);
        System.out.println("ready");
        System.in.read();
        boolean ended = false;
        try {
            ended = Connections.closeGracefully(socket, Integer.parseInt(args[2]));
        } catch (java.io.IOException gone) {
            // reset by the peer: closed all the same
        }
        System.out.println(ended ? "ended" : "limit");
        while (System.in.read() >= 0) {
        }
    }
}
"""

JAVASCRIPT_DRIVER = r"""
const [port, size, limit] = process.argv.slice(2).map(Number);
const allowHalfOpen = process.env.HALF_OPEN === '1';
const socket = require('net').connect({ port, host: '127.0.0.1', allowHalfOpen });
socket.on('error', () => {});
socket.on('connect', () => socket.write(Buffer.alloc(size), () => console.log('ready')));
process.stdin.once('data', async () => console.log(await closeGracefully(socket, limit) ? 'ended' : 'limit'));
process.stdin.on('end', () => process.exit());
"""

GO_DRIVER = r"""
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"
)

func main() {
	conn, err := net.Dial("tcp4", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	size, _ := strconv.Atoi(os.Args[2])
	limit, _ := strconv.Atoi(os.Args[3])
	conn.Write(make([]byte, size))
	fmt.Println("ready")
	input := bufio.NewReader(os.Stdin)
	input.ReadString('\n')
	if CloseGracefully(conn.(*net.TCPConn), time.Duration(limit)*time.Millisecond) == nil {
		fmt.Println("ended")
	} else {
		fmt.Println("limit")
	}
	io.Copy(io.Discard, input)
}
"""


CPP_DRIVER = r"""
#include <arpa/inet.h>
#include <iostream>
#include <string>
#include <vector>

int main(int, char **argv)
{
    Connection conn(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(static_cast<unsigned short>(std::stoi(argv[1])));
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(conn.fd(), reinterpret_cast<sockaddr *>(&peer), sizeof peer) < 0)
        return 2;
    std::vector<char> bytes(std::stoul(argv[2]));
    for (std::size_t sent = 0; sent < bytes.size();) {
        const ssize_t more = send(conn.fd(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (more < 0)
            return 2;
        sent += static_cast<std::size_t>(more);
    }
    std::cout << "ready" << std::endl;
    std::string line;
    std::getline(std::cin, line);
    std::cout << (conn.closeGracefully(std::chrono::milliseconds(std::stoi(argv[3]))) ? "ended" : "limit") << std::endl;
    while (std::getline(std::cin, line)) {
    }
}
"""

RUST_DRIVER = r"""
fn main() {
    use std::io::Write;
    let args: Vec<String> = std::env::args().collect();
    let mut conn = TcpStream::connect(("127.0.0.1", args[1].parse::<u16>().unwrap())).unwrap();
    conn.write_all(&vec![0u8; args[2].parse().unwrap()]).unwrap();
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let ended = close_gracefully(conn, Duration::from_millis(args[3].parse().unwrap()));
    println!("{}", if matches!(ended, Ok(true)) { "ended" } else { "limit" });
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
}
"""

PHP_DRIVER = r"""
$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
socket_connect($socket, '127.0.0.1', (int) $argv[1]);
for ($left = (int) $argv[2]; $left > 0; $left -= $sent) {
    $sent = socket_write($socket, str_repeat("\0", $left));
}
echo "ready\n";
fgets(STDIN);
echo close_gracefully($socket, $argv[3] / 1000) ? "ended\n" : "limit\n";
while (fgets(STDIN) !== false) {
}
"""

RUBY_DRIVER = r"""
$stdout.sync = true
socket = TCPSocket.new('127.0.0.1', Integer(ARGV[0]))
socket.write("\0" * Integer(ARGV[1]))
puts 'ready'
$stdin.gets
puts close_gracefully(socket, Integer(ARGV[2]) / 1000.0) ? 'ended' : 'limit'
$stdin.read
"""


class ToolMissing(Exception):
    """What is needed to build or run a language's recipe is not installed."""


def recipe(language):
    """The one code block of that language on the page."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) == 1, f"{PAGE.name} has {len(blocks)} code blocks marked {language}, not one"
    return blocks[0]


def tool(*names):
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise ToolMissing(f"no {' or '.join(names)} in PATH")


def run(command, folder, **environment):
    subprocess.run(command, cwd=folder, check=True, timeout=BUILD_LIMIT_S, env={**os.environ, **environment})


def build_c(folder, code=recipe("c") + C_DRIVER):
    compiler = tool("cc", "gcc", "clang")
    (folder / "recipe.c").write_text(code)
    run([compiler, "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-o", "recipe", "recipe.c"], folder)
    return [str(folder / "recipe")]


def build_epoll(folder):
    return build_c(folder, recipe("c") + recipe("c epoll") + EPOLL_DRIVER)


def build_python(folder):
    (folder / "recipe.py").write_text(recipe("python") + PYTHON_DRIVER)
    return [sys.executable, "-X", "dev", "-W", "error", str(folder / "recipe.py")]


def build_java(folder):
    compiler, java = tool("javac"), tool("java")
    code = recipe("java")
    (folder / "Connections.java").write_text(code)
    (folder / "Driver.java").write_text(JAVA_DRIVER)
    run([compiler, "-Xlint:all", "-Werror", "-d", ".", "Connections.java", "Driver.java"], folder)
    return [java, "-XX:TieredStopAtLevel=1", "-Xmx64m", "-cp", str(folder), "Driver"]


def build_javascript(folder):
    node = tool("node", "nodejs")
    (folder / "recipe.js").write_text(recipe("javascript") + JAVASCRIPT_DRIVER)
    return [node, str(folder / "recipe.js")]


def build_javascript_half_open(folder):
    return [tool("env"), "HALF_OPEN=1", *build_javascript(folder)]


def build_go(folder):
    go = tool("go")
    (folder / "recipe.go").write_text("package main\n\n" + recipe("go"))
    (folder / "main.go").write_text(GO_DRIVER)
    run([go, "build", "-o", "recipe", "main.go", "recipe.go"], folder,
        GO111MODULE="off", GOCACHE=str(folder / "cache"), GOFLAGS="-p=1", CGO_ENABLED="0")
    return [str(folder / "recipe")]


def build_cpp(folder):
    compiler = tool("c++", "g++", "clang++")
    (folder / "recipe.cpp").write_text(recipe("cpp") + CPP_DRIVER)
    run([compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-o", "recipe", "recipe.cpp"], folder)
    return [str(folder / "recipe")]


def build_rust(folder):
    compiler = tool("rustc")
    (folder / "recipe.rs").write_text(recipe("rust") + RUST_DRIVER)
    run([compiler, "--edition", "2021", "-D", "warnings", "-o", "recipe", "recipe.rs"], folder)
    return [str(folder / "recipe")]


def build_php(folder):
    php = tool("php")
    modules = subprocess.run([php, "-m"], capture_output=True, text=True, check=True).stdout.split()
    if "sockets" not in modules:
        raise ToolMissing("PHP without its extension sockets")
    (folder / "recipe.php").write_text(recipe("php") + PHP_DRIVER)
    return [php, "-d", "display_errors=1", str(folder / "recipe.php")]


def build_ruby(folder):
    ruby = tool("ruby")
    (folder / "recipe.rb").write_text(recipe("ruby") + RUBY_DRIVER)
    return [ruby, "-w", str(folder / "recipe.rb")]


BUILDERS = {
    "c": build_c,
    "epoll": build_epoll,
    "cpp": build_cpp,
    "python": build_python,
    "java": build_java,
    "javascript": build_javascript,
    "javascript-half-open": build_javascript_half_open,
    "go": build_go,
    "rust": build_rust,
    "php": build_php,
    "ruby": build_ruby,
}
