package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// How many topics stand before the oldest is deleted.
const topicsKept = 5

// topics creates topics, writes one record to each, and deletes them again; a name whose deletion
// was acknowledged comes again later. t, p and d before, T, P and D when acknowledged.
func topics(ctx context.Context, j *journal, admin *kadm.Client, o options) {
	var standing, free []string
	number := 0
	pace(ctx, createEvery, func() {
		number++
		name := fmt.Sprintf("%s-%d-%d", o.topic, o.first, number)
		if number%2 == 0 && len(free) > 0 {
			name, free = free[0], free[1:]
		}
		if !establish(ctx, j, admin, name) {
			return
		}
		first(ctx, j, o, name, number)
		standing = append(standing, name)
		if len(standing) > topicsKept {
			if remove(ctx, j, admin, standing[0]) {
				free = append(free, standing[0])
			}
			standing = standing[1:]
		}
	})
}

func establish(ctx context.Context, j *journal, admin *kadm.Client, name string) bool {
	j.line("t %s", name)
	answer, err := admin.CreateTopic(ctx, 1, 1, nil, name)
	switch {
	case err == nil:
		j.line("T %s %v %d", name, answer.ID, now())
	// The answer to the first attempt was lost.
	case errors.Is(answer.Err, kerr.TopicAlreadyExists):
		j.line("T %s - %d", name, now())
	default:
		fmt.Fprintln(os.Stderr, "create", name, err)
		return false
	}
	return true
}

// first writes the one record of a topic.
func first(ctx context.Context, j *journal, o options, name string, number int) {
	client := connect(o)
	defer client.Close()
	record := &kgo.Record{Topic: name, Value: value(-1-o.first, number, o.size)}
	j.line("p %s %s", name, hash(record.Value))
	if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
		fmt.Fprintln(os.Stderr, "produce to", name, err)
		return
	}
	j.line("P %s %d", name, now())
}

func remove(ctx context.Context, j *journal, admin *kadm.Client, name string) bool {
	j.line("d %s", name)
	answer, err := admin.DeleteTopic(ctx, name)
	if err == nil || errors.Is(answer.Err, kerr.UnknownTopicOrPartition) {
		j.line("D %s %d", name, now())
		return true
	}
	fmt.Fprintln(os.Stderr, "delete", name, err)
	return false
}
