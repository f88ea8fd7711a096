package main

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// tally is what a member owns and has seen, shared between its goroutines.
type tally struct {
	lock  *sync.Mutex
	state *tallyState
}

type tallyState struct {
	own     map[int32]bool
	records map[string]bool
	lost    int
}

func newTally() tally {
	return tally{&sync.Mutex{}, &tallyState{own: map[int32]bool{}, records: map[string]bool{}}}
}

func (t tally) add(partitions ...int32) {
	t.lock.Lock()
	defer t.lock.Unlock()
	for _, p := range partitions {
		t.state.own[p] = true
	}
}

func (t tally) remove(partitions ...int32) {
	t.lock.Lock()
	defer t.lock.Unlock()
	for _, p := range partitions {
		delete(t.state.own, p)
		t.state.lost++
	}
}

func (t tally) see(partition int32, offset int64) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.state.records[fmt.Sprintf("%d:%d", partition, offset)] = true
}

func (t tally) assigned() (all []int32) {
	t.lock.Lock()
	defer t.lock.Unlock()
	for p := range t.state.own {
		all = append(all, p)
	}
	return all
}

func (t tally) seen() (all []string) {
	t.lock.Lock()
	defer t.lock.Unlock()
	for each := range t.state.records {
		all = append(all, each)
	}
	return all
}

func (t tally) revoked() int {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.state.lost
}

// placeTally is what a member of several topics owns, shared between its goroutines.
type placeTally struct {
	lock *sync.Mutex
	own  map[string]bool
}

func newPlaceTally() placeTally { return placeTally{&sync.Mutex{}, map[string]bool{}} }

func (t placeTally) add(topics map[string][]int32) {
	t.lock.Lock()
	defer t.lock.Unlock()
	for topic, partitions := range topics {
		for _, p := range partitions {
			t.own[fmt.Sprintf("%s:%d", topic, p)] = true
		}
	}
}

func (t placeTally) remove(topics map[string][]int32) {
	t.lock.Lock()
	defer t.lock.Unlock()
	for topic, partitions := range topics {
		for _, p := range partitions {
			delete(t.own, fmt.Sprintf("%s:%d", topic, p))
		}
	}
}

func (t placeTally) places() []string {
	t.lock.Lock()
	defer t.lock.Unlock()
	return slices.Sorted(maps.Keys(t.own))
}
