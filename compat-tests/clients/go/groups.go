package main

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// child is a group member in a process of its own, so that it can be killed.
type child struct {
	command  *exec.Cmd
	assigned atomic.Int32
	lock     sync.Mutex
	seen     map[string]bool
}

func startChild(r *runner) *child {
	c := &child{seen: map[string]bool{}}
	c.command = exec.Command(got(os.Executable()), "--member", "--client", r.name,
		"--bootstrap", r.bootstrap, "--topic", r.topic, "--group", r.group())
	c.command.Stderr = os.Stderr
	// The child ends when this pipe closes, which it does however the driver ends.
	got(c.command.StdinPipe())
	lines := bufio.NewScanner(got(c.command.StdoutPipe()))
	must(c.command.Start())
	go func() {
		for lines.Scan() {
			word, rest, _ := strings.Cut(lines.Text(), " ")
			if word == "ASSIGNED" {
				n, _ := strconv.Atoi(rest)
				c.assigned.Store(int32(n))
			} else if word == "RECORD" {
				c.lock.Lock()
				c.seen[rest] = true
				c.lock.Unlock()
			}
		}
	}()
	return c
}

// told is what the child has said that it read.
func (c *child) told() map[string]bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	return maps.Clone(c.seen)
}

func (c *child) kill() {
	must(c.command.Process.Kill())
	c.command.Wait()
}

// childMain is the child's side: it tells what it owns and what it has read.
func childMain(a args) error {
	cl, err := connect(a["client"], a["bootstrap"])
	if err != nil {
		return err
	}
	m, err := cl.Member(a["group"], a["topic"], memberOptions{})
	if err != nil {
		return err
	}
	go func() {
		os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}()
	told := map[string]bool{}
	for last := -1; ; time.Sleep(20 * time.Millisecond) {
		for _, each := range m.seen() {
			if !told[each] {
				told[each] = true
				fmt.Println("RECORD", each)
			}
		}
		if n := len(m.assigned()); n != last {
			last = n
			fmt.Println("ASSIGNED", n)
		}
	}
}

func groupThree(r *runner) fields {
	r.create(6, nil)
	r.produce(6, 60, produceOptions{})
	killed := startChild(r)
	first := got(r.Member(r.group(), r.topic, memberOptions{}))
	second := got(r.Member(r.group(), r.topic, memberOptions{}))
	own := func(m member, n int) bool { return len(m.assigned()) == n }
	until("three members own two each", func() bool {
		return killed.assigned.Load() == 2 && own(first, 2) && own(second, 2)
	})
	second.leave()
	until("two members own three each", func() bool {
		return killed.assigned.Load() == 3 && own(first, 3)
	})
	seen := func() int {
		all := killed.told()
		for _, each := range append(first.seen(), second.seen()...) {
			all[each] = true
		}
		return len(all)
	}
	// The one that is killed must have told what it has read and committed.
	until("all is read", func() bool { return seen() == 60 })
	killed.kill()
	until("the last owns all", func() bool { return own(first, 6) })
	total := func() (sum int64) {
		for _, offset := range first2(r.Committed(r.group(), r.topic, 6)) {
			sum += max(offset, 0)
		}
		return sum
	}
	until("all is committed", func() bool { return total() == 60 })
	first.leave()
	return fields{"assigned_three": []int{2, 2, 2}, "after_leave": []int{3, 3},
		"after_kill": []int{6}, "committed_total": total(), "records_seen": seen()}
}

func first2(offsets []int64, _ string, err error) []int64 {
	must(err)
	return offsets
}

func staticMembers(r *runner) fields {
	r.create(6, nil)
	join := func(id string) member {
		return got(r.Member(r.group(), r.topic, memberOptions{instance: id}))
	}
	one, two := join("one"), join("two")
	until("both own three", func() bool {
		return len(one.assigned()) == 3 && len(two.assigned()) == 3
	})
	owned, before := sorted(two.assigned()), one.callbacks()
	two.leave()
	again := join("two")
	until("the restarted member owns three", func() bool { return len(again.assigned()) == 3 })
	// A rebalance would have called the other member before the group is stable again.
	until("the group is stable", func() bool { return got(r.GroupState(r.group())) == "Stable" })
	out := fields{"assigned": []int{3, 3},
		"same_assignment": slices.Equal(owned, sorted(again.assigned())),
		"other_disturbed": one.callbacks() != before}
	one.leave()
	again.leave()
	return out
}

func sorted(all []int32) []int32 {
	return slices.Sorted(slices.Values(all))
}

func cooperative(r *runner) fields {
	r.create(6, nil)
	join := func() member {
		return got(r.Member(r.group(), r.topic, memberOptions{cooperative: true}))
	}
	first := join()
	until("the first owns all", func() bool { return len(first.assigned()) == 6 })
	second := join()
	until("both own three", func() bool {
		return len(first.assigned()) == 3 && len(second.assigned()) == 3
	})
	revoked := first.revoked()
	second.leave()
	first.leave()
	return fields{"first_alone": 6, "first_after": 3, "second_after": 3,
		"revoked_from_first": revoked}
}

func commit(r *runner) fields {
	r.create(1, nil)
	r.produce(1, 10, produceOptions{})
	m := got(r.Member(r.group(), r.topic, memberOptions{passive: true}))
	until("the member owns the partition", func() bool { return len(m.assigned()) == 1 })
	must(m.commit(0, 7, "meta"))
	offsets, metadata, err := r.Committed(r.group(), r.topic, 1)
	must(err)
	state := func() string { return got(r.GroupState(r.group())) }
	listed := func() bool { return slices.Contains(got(r.Groups()), r.group()) }
	out := fields{"committed": offsets[0], "metadata": metadata, "listed": listed(),
		"state_active": state(), "delete_active": errorName(r.DeleteGroup(r.group()))}
	m.leave()
	until("group is empty", func() bool { return state() == "Empty" })
	out["state_empty"] = state()
	out["delete_offsets"] = errorName(r.DeleteOffset(r.group(), r.topic))
	out["after_delete_offsets"] = first2(r.Committed(r.group(), r.topic, 1))[0]
	out["delete_group"] = errorName(r.DeleteGroup(r.group()))
	out["listed_after"] = listed()
	return out
}

// resume: phase 1 fills the topic and reads 40; the later ones must go on exactly there.
func resume(r *runner, phase int) fields {
	take := 30
	if phase == 1 {
		take = 40
		r.create(1, nil)
		r.produce(1, 100, produceOptions{})
	}
	first, taken, err := r.Take(r.group(), r.topic, take)
	must(err)
	committed := first2(r.Committed(r.group(), r.topic, 1))[0]
	all := fields{"consumed": taken, "committed": committed, "first_offset": first}
	if phase == 3 {
		all["log_end"] = got(r.OffsetAt(r.topic, latest))
	}
	wanted := [][]string{{"consumed", "committed"}, {"consumed", "committed", "first_offset"},
		{"consumed", "first_offset", "log_end"}}[phase-1]
	maps.DeleteFunc(all, func(key string, _ any) bool { return !slices.Contains(wanted, key) })
	return all
}
