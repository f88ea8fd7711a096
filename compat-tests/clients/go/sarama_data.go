package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/IBM/sarama"
)

// saramaProducer answers each record through the callback in its metadata.
type saramaProducer struct {
	p sarama.AsyncProducer
	// Records without an answer yet.
	pending *sync.WaitGroup
	ended   chan struct{}
}

func (s *saramaClient) Producer(o produceOptions) (producer, error) {
	c := saramaConfig()
	c.Metadata.AllowAutoTopicCreation = true
	c.Metadata.Retry.Max = 40
	// One request at a time, or one that is sent again comes after its successor.
	c.Net.MaxOpenRequests = 1
	c.Producer.Compression = map[string]sarama.CompressionCodec{
		"": sarama.CompressionNone, "gzip": sarama.CompressionGZIP,
		"snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4,
		"zstd": sarama.CompressionZSTD}[o.codec]
	if o.batchBytes > 0 {
		c.Producer.Flush.MaxMessages = 20
	}
	if o.maxBytes > 0 {
		c.Producer.MaxMessageBytes = o.maxBytes
	}
	if o.idempotent {
		c.Producer.Idempotent = true
		c.Producer.Retry.Max = 200
	}
	p, err := sarama.NewAsyncProducer(s.bootstrap, c)
	if err != nil {
		return nil, err
	}
	own := saramaProducer{p, &sync.WaitGroup{}, make(chan struct{})}
	go own.answer()
	return own, nil
}

func (p saramaProducer) answer() {
	defer close(p.ended)
	successes, failures := p.p.Successes(), p.p.Errors()
	for successes != nil || failures != nil {
		select {
		case m, open := <-successes:
			if !open {
				successes = nil
			} else {
				m.Metadata.(func(error))(nil)
				p.pending.Done()
			}
		case e, open := <-failures:
			if !open {
				failures = nil
			} else {
				e.Msg.Metadata.(func(error))(e.Err)
				p.pending.Done()
			}
		}
	}
}

func (p saramaProducer) send(r record, done func(error)) {
	m := &sarama.ProducerMessage{Topic: r.topic, Partition: r.partition, Timestamp: r.time,
		Metadata: done}
	// A typed nil would be sent as an empty key.
	if r.key != nil {
		m.Key = sarama.ByteEncoder(r.key)
	}
	if r.value != nil {
		m.Value = sarama.ByteEncoder(r.value)
	}
	for _, h := range r.headers {
		m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(h.key), Value: h.value})
	}
	p.pending.Add(1)
	p.p.Input() <- m
}

func (p saramaProducer) close() error {
	// What it has to send once more while it closes would fail.
	p.pending.Wait()
	p.p.AsyncClose()
	<-p.ended
	return nil
}

func (s *saramaClient) Read(topics map[string]int32, from int64, count int, o readOptions) (
	[]record, error) {
	c := saramaConfig()
	c.Consumer.Return.Errors = true
	if o.fetchBytes > 0 {
		c.Consumer.Fetch.Default = o.fetchBytes
	}
	consumer, err := sarama.NewConsumer(s.bootstrap, c)
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	records := make(chan record)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	defer readers.Wait()
	defer close(stop)
	for topic, partitions := range topics {
		for p := range partitions {
			part, err := consumer.ConsumePartition(topic, p, from)
			if errors.Is(err, sarama.ErrOffsetOutOfRange) {
				part, err = consumer.ConsumePartition(topic, p, sarama.OffsetOldest)
			}
			if err != nil {
				return nil, err
			}
			readers.Go(func() { forward(part, records, stop) })
		}
	}
	return collect(count, o.patience, func(ctx context.Context) ([]record, error) {
		select {
		case r := <-records:
			return []record{r}, nil
		case <-ctx.Done():
			return nil, nil
		}
	})
}

// forward passes on what one partition brings until it is told to stop.
func forward(part sarama.PartitionConsumer, records chan<- record, stop <-chan struct{}) {
	defer part.Close()
	for {
		select {
		case m := <-part.Messages():
			select {
			case records <- fromSarama(m):
			case <-stop:
				return
			}
		case err := <-part.Errors():
			fmt.Fprintln(os.Stderr, "sarama:", err)
		case <-stop:
			return
		}
	}
}

func fromSarama(m *sarama.ConsumerMessage) record {
	out := record{topic: m.Topic, partition: m.Partition, offset: m.Offset, key: m.Key,
		value: m.Value, time: m.Timestamp}
	for _, h := range m.Headers {
		out.headers = append(out.headers, header{string(h.Key), h.Value})
	}
	return out
}
