package main

import (
	"bytes"
	"fmt"
	"hash/crc64"
	"math"
	"math/rand/v2"

	"github.com/twmb/franz-go/pkg/kgo"
)

var table = crc64.MakeTable(crc64.ECMA)

// hash stands for a value in the lines.
func hash(value []byte) string { return fmt.Sprintf("%016x", crc64.Checksum(value, table)) }

// value is what a producer's record holds: what nobody could guess, and anybody can compute.
func value(producer, sequence, longest int) []byte {
	random := rand.New(rand.NewPCG(uint64(producer)+1, uint64(sequence)+1))
	var text bytes.Buffer
	fmt.Fprintf(&text, "%d/%d/", producer, sequence)
	for n := 1 + random.IntN(longest); text.Len() < n; {
		fmt.Fprintf(&text, "%x", random.Uint64())
	}
	return text.Bytes()
}

// key is the record's own, or one of so many that its producer uses again and again.
func key(producer, sequence, keys int) []byte {
	if keys > 0 {
		sequence %= keys
	}
	return fmt.Appendf(nil, "%d/%d", producer, sequence)
}

// isTombstone says of every third record of a key that it deletes the key, and of the last one of
// every fourth key.
func isTombstone(sequence, keys int) bool {
	round, key := sequence/keys, sequence%keys
	return round == lastRound(key) || (round+key)%3 == 2
}

// isOver is true of a key that was deleted for ever.
func isOver(sequence, keys int) bool { return sequence/keys > lastRound(sequence%keys) }

func lastRound(key int) int {
	if key%4 != 0 {
		return math.MaxInt
	}
	return 1 + key/4%8
}

// entomb makes a record one that deletes its key; a header says then what its value would.
func entomb(record *kgo.Record) {
	record.Headers = []kgo.RecordHeader{{Key: "name", Value: record.Value}}
	record.Value = nil
}

// named is the producer and the number that a record names; -1 where it names none.
func named(record *kgo.Record) (producer, sequence int) {
	text := record.Value
	if text == nil && len(record.Headers) == 1 {
		text = record.Headers[0].Value
	}
	if _, err := fmt.Sscanf(string(text), "%d/%d/", &producer, &sequence); err != nil {
		return -1, -1
	}
	return producer, sequence
}
