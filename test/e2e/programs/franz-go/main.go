// Writes the lines of its input to a topic by franz-go, up to an empty line:  franz-go BROKERS TOPIC CODEC MODE
//
// MODE is as in confluent.py.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func main() {
	brokers, topic, codec, mode := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	options := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(brokers, ",")...),
		kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(codecs[codec]),
	}
	isTransaction := mode == "commit" || mode == "abort" || mode == "open"
	if mode == "plain" {
		options = append(options, kgo.DisableIdempotentWrite())
	} else if isTransaction {
		options = append(options, kgo.TransactionalID(fmt.Sprintf("%s.%d", topic, os.Getpid())))
	}
	client, err := kgo.NewClient(options...)
	check(err)
	defer client.Close()
	if isTransaction {
		check(client.BeginTransaction())
	}
	ctx := context.Background()
	input := bufio.NewReader(os.Stdin)
	var refused error
	for {
		line, err := input.ReadString('\n')
		line = strings.TrimRight(line, "\n")
		if line == "" {
			break
		}
		client.Produce(ctx, kgo.StringRecord(line), func(_ *kgo.Record, err error) {
			if err != nil {
				refused = err
			}
		})
		if err != nil {
			break
		}
	}
	check(client.Flush(ctx))
	check(refused)
	if mode == "open" {
		fmt.Println("stored")
		_, _ = io.Copy(io.Discard, input)
	}
	if isTransaction {
		check(client.EndTransaction(ctx, kgo.TransactionEndTry(mode != "abort")))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
