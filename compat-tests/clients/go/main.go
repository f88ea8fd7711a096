// The Go driver: runs the named scenarios with one of three clients, one JSON line for each.
// It is also the group member that is to be killed (--member) and the reader of the end-to-end
// run (--consume-all).
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// args holds "--key value" pairs and bare "--flag"s.
type args map[string]string

func parseArgs(words []string) args {
	a := args{}
	for i := 0; i < len(words); i++ {
		key := strings.TrimPrefix(words[i], "--")
		if i+1 < len(words) && !strings.HasPrefix(words[i+1], "--") {
			i++
			a[key] = words[i]
		} else {
			a[key] = ""
		}
	}
	return a
}

func (a args) number(key string, otherwise int) int {
	if text, found := a[key]; found {
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	}
	return otherwise
}

// connect makes the client that is called name.
func connect(name, bootstrap string) (client, error) {
	switch name {
	case "franz-go":
		return newFranz(bootstrap)
	case "sarama":
		return newSarama(bootstrap)
	case "kafka-go":
		return newSegment(bootstrap), nil
	}
	return nil, fmt.Errorf("no client is called %q", name)
}

// fields are what a scenario observed.
type fields map[string]any

// unsupported says that a client lacks what a step needs.
type unsupported struct{ why string }

func (u unsupported) Error() string { return u.why }

// runner is the broker, the client and the topic of one scenario.
type runner struct {
	client
	name, bootstrap, topic string
}

func (r *runner) group() string { return r.topic + "-group" }

// must ends the scenario with an error; one() turns it into the driver's answer.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func got[T any](value T, err error) T {
	must(err)
	return value
}

func one(a args, scenario string) (line map[string]any) {
	line = map[string]any{"client": a["client"], "scenario": scenario}
	defer func() {
		failure := recover()
		if failure == nil {
			return
		}
		var missing unsupported
		if err, ok := failure.(error); ok && errors.As(err, &missing) {
			line["unsupported"] = missing.why
			return
		}
		line["error"] = fmt.Sprint(failure)
	}()
	body, found := scenarios[scenario]
	if !found {
		line["unsupported"] = "no such scenario"
		return line
	}
	cl, err := connect(a["client"], a["bootstrap"])
	must(err)
	defer cl.Close()
	// A phase (resume.2) goes on with the topic of its scenario.
	topic := a["prefix"] + "-" + strings.Split(scenario, ".")[0]
	start := time.Now()
	line["observed"] = body(&runner{cl, a["client"], a["bootstrap"], topic})
	fmt.Fprintln(os.Stderr, a["client"], scenario, time.Since(start).Milliseconds(), "ms")
	return line
}

func main() {
	a := parseArgs(os.Args[1:])
	if _, found := a["member"]; found {
		must(childMain(a))
		return
	}
	out := json.NewEncoder(os.Stdout)
	if _, found := a["consume-all"]; found {
		line := consumeAll(a)
		must(out.Encode(line))
		if line["count"] != a.number("expect", -1) {
			os.Exit(1)
		}
		return
	}
	for _, scenario := range strings.Split(a["scenarios"], ",") {
		must(out.Encode(one(a, scenario)))
	}
}
