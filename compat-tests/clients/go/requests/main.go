// Sends raw requests to one broker and prints what it answered, one JSON line for each case and
// version. The codec is franz-go's kmsg, so that neither broker judges itself. The cases run for
// every version that the broker at --table announces; the test that starts this program compares
// the lines of two brokers.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// testCase is what is asked of one API, at each of its versions.
type testCase struct {
	api  kmsg.Key
	name string
	run  func(*run)
	// The versions for which it makes sense, of those that are served; nil stands for all.
	only func(version int16, served span) bool
}

// span is an inclusive range of versions.
type span struct{ lowest, highest int16 }

func since(lowest int16) func(int16, span) bool {
	return func(v int16, _ span) bool { return v >= lowest }
}

func until(above int16) func(int16, span) bool {
	return func(v int16, _ span) bool { return v < above }
}

// atTop is the highest version, and others that behave differently.
func atTop(also ...int16) func(int16, span) bool {
	return func(v int16, served span) bool { return v == served.highest || slices.Contains(also, v) }
}

// line is what one case came to at one version.
type line struct {
	Case    string         `json:"case"`
	Api     int16          `json:"api"`
	Version int16          `json:"version"`
	Steps   map[string]any `json:"steps"`
	Error   string         `json:"error,omitempty"`
	Millis  int64          `json:"-"`
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// announced asks a broker which versions it serves.
func announced(bootstrap string) map[int16]span {
	c := dial(bootstrap)
	defer c.Close()
	req := kmsg.NewPtrApiVersionsRequest()
	c.send(usual(req), req.AppendTo(nil))
	_, body, err := c.receive(answerLimit)
	must(err)
	resp, _, err := decode(req, body)
	must(err)
	table := map[int16]span{}
	for _, api := range resp.(*kmsg.ApiVersionsResponse).ApiKeys {
		table[api.ApiKey] = span{api.MinVersion, api.MaxVersion}
	}
	// Lower versions of Produce are announced and refused.
	if produce, found := table[0]; found {
		table[0] = span{max(produce.lowest, 3), produce.highest}
	}
	return table
}

func one(w *world, c testCase, version int16) (out line) {
	out = line{Case: c.name, Api: c.api.Int16(), Version: version}
	r := newRun(w, c, version)
	out.Steps = r.steps
	start := time.Now()
	defer func() {
		if failure := recover(); failure != nil {
			out.Error = fmt.Sprintf("%v\n%s", failure, debug.Stack())
		}
		out.Millis = time.Since(start).Milliseconds()
		r.close()
	}()
	c.run(r)
	return out
}

func main() {
	bootstrap := flag.String("bootstrap", "", "the broker that is asked")
	table := flag.String("table", "", "the broker whose versions are asked for")
	only := flag.String("cases", "", "part of the names of the cases to run")
	workers := flag.Int("workers", 6, "cases that run at the same time")
	restricted := flag.Bool("restricted", false, "the broker deletes no topics and makes none by itself")
	slow := flag.Int64("slow", 1<<40, "name cases that take longer, in milliseconds")
	flag.Parse()
	w := &world{bootstrap: *bootstrap, table: announced(*table), restricted: *restricted}
	w.warm()
	type job struct {
		c       testCase
		version int16
	}
	jobs := make(chan job)
	var group sync.WaitGroup
	var lock sync.Mutex
	encoder := json.NewEncoder(os.Stdout)
	for range *workers {
		group.Go(func() {
			for j := range jobs {
				out := one(w, j.c, j.version)
				if out.Millis > *slow {
					fmt.Fprintln(os.Stderr, out.Case, out.Version, out.Millis, "ms")
				}
				lock.Lock()
				must(encoder.Encode(out))
				lock.Unlock()
			}
		})
	}
	for _, c := range allCases(*restricted) {
		served, found := w.table[c.api.Int16()]
		if !found || !strings.Contains(c.name, *only) {
			continue
		}
		for v := served.lowest; v <= served.highest; v++ {
			if c.only == nil || c.only(v, served) {
				jobs <- job{c, v}
			}
		}
	}
	close(jobs)
	group.Wait()
}

func allCases(restricted bool) []testCase {
	if restricted {
		return restrictedCases
	}
	return slices.Concat(
		produceCases, fetchCases, offsetCases, groupCases, commitCases, protocolCases, adminCases,
		createCases, topicCases, configCases, metadataCases,
	)
}
