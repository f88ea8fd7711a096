package main

import (
	"bytes"
	"fmt"
	"hash/crc64"
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

// named is the producer and the number that a record's value names; -1 where it names none.
func named(record *kgo.Record) (producer, sequence int) {
	if _, err := fmt.Sscanf(string(record.Value), "%d/%d/", &producer, &sequence); err != nil {
		return -1, -1
	}
	return producer, sequence
}
