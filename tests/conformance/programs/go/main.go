// Command conformance runs a program of the Go client against a server and reports its steps:
//
//	conformance rows|partition-guide host:port
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/milvus-io/milvus/client/v2/milvusclient"
)

func main() {
	programs := map[string]func(context.Context, *milvusclient.Client){
		"rows":            rows,
		"partition-guide": partitionGuide,
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	client, err := milvusclient.New(ctx, &milvusclient.ClientConfig{Address: os.Args[2]})
	must(err)
	defer client.Close(ctx)
	programs[os.Args[1]](ctx, client)
}

// step runs an action and reports what it answered, or the text of its failure.
func step(sentence string, action func() (any, error)) {
	line := map[string]any{"step": sentence}
	if got, err := action(); err != nil {
		line["failed"] = err.Error()
	} else {
		line["got"] = got
	}
	text, err := json.Marshal(line)
	must(err)
	fmt.Println(string(text))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
