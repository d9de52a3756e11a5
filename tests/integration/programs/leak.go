// leak ADDRESS [UPSTREAM]: a server that reads to the end of each connection and never closes it. With UPSTREAM it passes
// on what comes, as a relay of log lines does, over a connection of its own for each client, and does not close that either.
// Go switches keepalive on by itself, every 15 s.
package main

import (
	"io"
	"net"
	"os"
)

func keep(conn net.Conn) {
	to := io.Discard
	if len(os.Args) > 2 {
		upstream, err := net.Dial("tcp", os.Args[2])
		if err != nil {
			panic(err)
		}
		defer upstream.Close()
		to = upstream
	}
	io.Copy(to, conn)
	select {}
}

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		panic(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go keep(conn)
	}
}
