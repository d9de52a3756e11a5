// A server that keeps the connections it has accepted in a list, and never looks at them again: after a reset by the peer the
// descriptor stays. Prints its port.
package main

import (
	"fmt"
	"net"
	"time"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	kept := []net.Conn{}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := listener.Accept()
		if err != nil {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		kept = append(kept, conn)
	}
}
