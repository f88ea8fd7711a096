// The load and the reader of the tests of faults. Every line that it writes is one thing that a
// client knows: what was sent, what was acknowledged, what was read. compat-tests/src/faults
// reads the lines and judges.
//
//	faults load --bootstrap B --topic T ...   writes until SIGTERM, then waits for its answers
//	faults read --bootstrap B --topic T ...   reads everything that there is
//	faults cut --mount M                      takes the power from a file system when told to
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// options are those of all three commands.
type options struct {
	bootstrap, topic, group, configs, mount, out string
	partitions, producers, first, rate, size     int
	keys, every, again                           int
	topics, reread, tombstones, removals         bool
}

func parse(words []string) options {
	var o options
	set := flag.NewFlagSet("faults", flag.ExitOnError)
	set.StringVar(&o.bootstrap, "bootstrap", "", "the broker")
	set.StringVar(&o.topic, "topic", "load", "what is written and read")
	set.StringVar(&o.group, "group", "readers", "whose offsets are committed")
	set.StringVar(&o.configs, "configs", "", "name=value,... of the topic")
	set.StringVar(&o.mount, "mount", "", "the file system that loses its power")
	set.StringVar(&o.out, "out", "", "where the lines go")
	set.IntVar(&o.partitions, "partitions", 6, "of the topic")
	set.IntVar(&o.producers, "producers", 4, "how many write")
	set.IntVar(&o.first, "first", 0, "the number of the first producer")
	set.IntVar(&o.rate, "rate", 500, "records a second of each producer")
	set.IntVar(&o.keys, "keys", 0, "how many keys a producer uses again and again; 0: all new")
	set.IntVar(&o.every, "every", 10, "milliseconds between two batches of sends of one producer")
	set.IntVar(&o.again, "again", 0, "topics that are written to while they are deleted and made again")
	set.BoolVar(&o.tombstones, "tombstones", false, "delete keys, some for ever")
	set.BoolVar(&o.removals, "removals", false, "delete the oldest records meanwhile")
	set.IntVar(&o.size, "size", 400, "bytes of the longest value")
	set.BoolVar(&o.topics, "topics", true, "create and delete topics meanwhile")
	set.BoolVar(&o.reread, "live", true, "read meanwhile")
	must(set.Parse(words))
	return o
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// journal takes the lines. Each is written at once: whoever kills this program has them all.
type journal struct {
	lock sync.Mutex
	file *os.File
}

func newJournal(path string) *journal {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(err)
	return &journal{file: file}
}

func (j *journal) line(format string, values ...any) {
	text := fmt.Sprintf(format, values...) + "\n"
	j.lock.Lock()
	defer j.lock.Unlock()
	_, err := j.file.WriteString(text)
	must(err)
}

var (
	begin      = time.Now()
	beginNanos = begin.UnixNano()
)

// now is the wall clock in nanoseconds, as other processes see it, but never goes back.
func now() int64 { return beginNanos + time.Since(begin).Nanoseconds() }

// connect makes a client that waits for a broker that is away, for as long as it takes.
func connect(o options, more ...kgo.Opt) *kgo.Client {
	options := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(o.bootstrap, ",")...),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
		kgo.RequestRetries(1 << 30),
		kgo.RetryTimeout(10 * time.Minute),
		kgo.UnknownTopicRetries(-1),
		kgo.MetadataMinAge(50 * time.Millisecond),
	}
	client, err := kgo.NewClient(append(options, more...)...)
	must(err)
	return client
}

func main() {
	if len(os.Args) < 2 {
		must(fmt.Errorf("load, read or cut"))
	}
	o := parse(os.Args[2:])
	switch os.Args[1] {
	case "load":
		load(o)
	case "read":
		read(o)
	case "cut":
		cut(o)
	default:
		must(fmt.Errorf("no command %q", os.Args[1]))
	}
}
