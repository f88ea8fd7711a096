package main

import (
	"encoding/json"
	"fmt"
	"net"
	"reflect"
	"regexp"
	"sort"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// seen turns answers into what can be compared between two brokers. What must differ is replaced,
// by field, in number alone; everything else stays as it is. Arrays of structures are sorted: the
// protocol gives their order no meaning.
type seen struct {
	host   string
	port   string
	topics map[[16]byte]string
	// Numbers given in the order of first appearance, by kind.
	numbers map[string]int
}

func newSeen(bootstrap string) *seen {
	host, port, err := net.SplitHostPort(bootstrap)
	must(err)
	return &seen{host, port, map[[16]byte]string{}, map[string]int{}}
}

// replaced are the fields that may differ between brokers, and what stands in their place.
var replaced = map[string]func(*seen, any) any{
	"ThrottleMillis":         func(*seen, any) any { return nil },
	"Host":                   func(s *seen, v any) any { return instead(v, s.host, "host") },
	"Port":                   func(s *seen, v any) any { return instead(v, s.port, "port") },
	"ClusterID":              func(*seen, any) any { return "cluster" },
	"LogAppendTime":          func(_ *seen, v any) any { return sign(v, "a time") },
	"Dir":                    func(*seen, any) any { return "a folder" },
	"FinalizedFeaturesEpoch": func(_ *seen, v any) any { return sign(v, "an epoch") },
	"TotalBytes":             func(_ *seen, v any) any { return sign(v, "bytes") },
	"UsableBytes":            func(_ *seen, v any) any { return sign(v, "bytes") },
	"ProducerID":             func(s *seen, v any) any { return s.ordinal("producer", v) },
	"SessionID":              func(s *seen, v any) any { return s.ordinal("session", v) },
}

// The random part of member ids.
var random = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

func instead(v any, known, name string) any {
	if fmt.Sprint(v) == known {
		return name
	}
	return v
}

// sign keeps zero and negative numbers, which have meanings of their own.
func sign(v any, positive string) any {
	if n := reflect.ValueOf(v).Int(); n <= 0 {
		return n
	}
	return positive
}

// ordinal numbers ids in the order of their first appearance.
func (s *seen) ordinal(kind string, v any) any {
	text := fmt.Sprint(v)
	if text == "" || text == "0" || text == "-1" {
		if kind != "producer" || text == "-1" {
			return v
		}
	}
	key := kind + " " + text
	if _, known := s.numbers[key]; !known {
		s.numbers[kind]++
		s.numbers[key] = s.numbers[kind]
	}
	return fmt.Sprintf("%s-%d", kind, s.numbers[key])
}

// know gives a member id its number before any answer does; their order in answers is random.
func (s *seen) know(id string) { s.value("", reflect.ValueOf(id)) }

// learn takes the ids of topics from answers that name them.
func (s *seen) learn(resp kmsg.Response) {
	know := func(id [16]byte, name string) {
		if _, known := s.topics[id]; !known && id != [16]byte{} && name != "" {
			s.topics[id] = name
		}
	}
	switch answer := resp.(type) {
	case *kmsg.CreateTopicsResponse:
		for _, topic := range answer.Topics {
			know(topic.TopicID, topic.Topic)
		}
	case *kmsg.MetadataResponse:
		for _, topic := range answer.Topics {
			if topic.Topic != nil {
				know(topic.TopicID, *topic.Topic)
			}
		}
	}
}

// plain is an answer without what must differ.
func (s *seen) plain(resp kmsg.Response) map[string]any {
	return s.value("", reflect.ValueOf(resp).Elem()).(map[string]any)
}

func (s *seen) value(field string, v reflect.Value) any {
	if replace, found := replaced[field]; found && !nullPointer(v) {
		return replace(s, reflect.Indirect(v).Interface())
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return s.value(field, v.Elem())
	case reflect.Struct:
		return s.structure(v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return s.bytes(field, v)
		}
		return s.list(v)
	case reflect.Array:
		return s.topicID(v.Interface().([16]byte))
	case reflect.String:
		return random.ReplaceAllStringFunc(v.String(), func(id string) string {
			return s.ordinal("id", id).(string)
		})
	case reflect.Int16:
		if field == "ErrorCode" {
			return errorName(int16(v.Int()))
		}
	}
	return v.Interface()
}

func nullPointer(v reflect.Value) bool { return v.Kind() == reflect.Pointer && v.IsNil() }

func (s *seen) structure(v reflect.Value) map[string]any {
	out := map[string]any{}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if tags, ok := v.Field(i).Interface().(kmsg.Tags); ok {
			tags.Each(func(key uint32, value []byte) {
				out[fmt.Sprintf("tag %d", key)] = strconv.Quote(string(value))
			})
		} else if field.Name != "Version" {
			out[field.Name] = s.value(field.Name, v.Field(i))
		}
	}
	return out
}

func (s *seen) list(v reflect.Value) any {
	if v.IsNil() {
		return []any{}
	}
	out := make([]any, v.Len())
	for i := range out {
		out[i] = s.value("", v.Index(i))
	}
	key := func(i int) string {
		text, err := json.Marshal(out[i])
		must(err)
		return string(text)
	}
	sort.SliceStable(out, func(i, j int) bool { return key(i) < key(j) })
	return out
}

func (s *seen) bytes(field string, v reflect.Value) any {
	if field == "RecordBatches" {
		if v.IsNil() {
			return "null"
		}
		return s.batches(v.Bytes())
	}
	return strconv.Quote(string(v.Bytes()))
}

func (s *seen) topicID(id [16]byte) string {
	if id == [16]byte{} {
		return "no id"
	}
	if name, found := s.topics[id]; found {
		return "id of " + name
	}
	return s.ordinal("unknown topic id", fmt.Sprintf("%x", id)).(string)
}

func errorName(code int16) string {
	if err := kerr.TypedErrorForCode(code); err != nil {
		return fmt.Sprintf("%d %s", code, err.Message)
	}
	return "NONE"
}
