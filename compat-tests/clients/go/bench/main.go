// Producers under the clock for `cargo xtask compare`, where a Python client would be too slow to
// tell brokers apart. Each command writes to a topic, says READY when it is warm, measures, and
// prints one JSON line.
//
//	bench latency --count N      one record at a time, each waiting for the one before
//	bench paced --rate N         N records a second whatever the answers do (open loop), until
//	                             --seconds have passed or the standard input is closed
//	bench many --producers N     N producers as fast as they can for --seconds
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

type options struct {
	bootstrap, topic                 string
	count, warm, size, rate, seconds int
	producers                        int
}

func parse(words []string) options {
	var o options
	set := flag.NewFlagSet("bench", flag.ExitOnError)
	set.StringVar(&o.bootstrap, "bootstrap", "", "the broker")
	set.StringVar(&o.topic, "topic", "bench", "what is written")
	set.IntVar(&o.count, "count", 1000, "records that are measured")
	set.IntVar(&o.warm, "warm", 1000, "records before them")
	set.IntVar(&o.size, "size", 1000, "bytes of a record's value")
	set.IntVar(&o.rate, "rate", 20000, "records a second")
	set.IntVar(&o.seconds, "seconds", 0, "how long; 0: until the standard input is closed")
	set.IntVar(&o.producers, "producers", 16, "how many write at once")
	must(set.Parse(words))
	return o
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// client is a producer that waits for nothing before it sends.
func client(o options, more ...kgo.Opt) *kgo.Client {
	common := []kgo.Opt{
		kgo.SeedBrokers(o.bootstrap),
		kgo.DefaultProduceTopic(o.topic),
		kgo.AllowAutoTopicCreation(),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerLinger(0),
	}
	c, err := kgo.NewClient(append(common, more...)...)
	must(err)
	return c
}

func latency(o options) map[string]float64 {
	c := client(o)
	defer c.Close()
	value := payload(o.size)
	var seen []time.Duration
	for i := 0; i < o.warm+o.count; i++ {
		if i == o.warm {
			ready()
		}
		begin := time.Now()
		must(c.ProduceSync(context.Background(), &kgo.Record{Value: value}).FirstErr())
		if i >= o.warm {
			seen = append(seen, time.Since(begin))
		}
	}
	return percentiles(seen)
}

func main() {
	if len(os.Args) < 2 {
		must(fmt.Errorf("which command?"))
	}
	commands := map[string]func(options) map[string]float64{
		"latency": latency, "paced": paced, "many": many,
	}
	command, known := commands[os.Args[1]]
	if !known {
		must(fmt.Errorf("no command %s", os.Args[1]))
	}
	seen := command(parse(os.Args[2:]))
	seen["client_cpu_seconds"] = cpuSeconds() - cpuWhenReady
	line, err := json.Marshal(seen)
	must(err)
	fmt.Println(string(line))
}

var cpuWhenReady float64

func ready() {
	cpuWhenReady = cpuSeconds()
	fmt.Println("READY")
}

// cpuSeconds is what this process has used so far.
func cpuSeconds() float64 {
	var used syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(used.Utime) + seconds(used.Stime)
}

// payload is not worth compressing and not what another record is.
func payload(size int) []byte {
	value := make([]byte, size)
	state := uint64(88172645463325252)
	for i := range value {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		value[i] = byte(state)
	}
	return value
}

func percentiles(seen []time.Duration) map[string]float64 {
	if len(seen) == 0 {
		must(fmt.Errorf("nothing was acknowledged"))
	}
	sort.Slice(seen, func(a, b int) bool { return seen[a] < seen[b] })
	at := func(share float64) float64 {
		return float64(seen[int(share*float64(len(seen)-1))].Nanoseconds()) / 1e6
	}
	return map[string]float64{
		"count": float64(len(seen)), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1),
	}
}
