package suite_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"github.com/seed-c4549abd/wss/autobahn/suite"
	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
	"github.com/seed-c4549abd/wss/conn"
)

// A server is tested through its URL. This one does not answer pings.
func ExampleRun() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	go faulty.Serve(ln, faulty.NoPongs)

	rep, err := suite.Run(context.Background(), suite.Options{
		URL: "ws://" + ln.Addr().String(), Cases: []string{"1.1.1", "2.2"}, Slowness: 0.5,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range rep.Results {
		fmt.Println(r.ID, r.Behavior)
	}
	// Output:
	// 1.1.1 OK
	// 2.2 FAILED
}

// A client runs a case by echoing what the fuzzing server sends on a connection to its path.
func ExampleServer() {
	server, err := suite.NewServer(suite.ServerOptions{Cases: []string{"1.1.*"}})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go server.Serve(ctx, ln)

	c, _, err := conn.Dial(ctx, "ws://"+ln.Addr().String()+"/runCase?casetuple=1.1.2&agent=mine", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	for m, err := range c.Messages(ctx) {
		if err != nil {
			break // the server has closed the connection
		}
		if err := c.Write(ctx, m.Type, m.Data); err != nil {
			log.Fatal(err)
		}
	}
	r, err := server.Await(ctx, "mine", "1.1.2")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.ID, r.Behavior, r.BehaviorClose)
	// Output: 1.1.2 OK OK
}
