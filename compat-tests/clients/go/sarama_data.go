package main

import (
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
	if o.acks != "" {
		c.Producer.RequiredAcks = map[string]sarama.RequiredAcks{
			"0": sarama.NoResponse, "1": sarama.WaitForLocal}[o.acks]
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

func fromSarama(m *sarama.ConsumerMessage) record {
	out := record{topic: m.Topic, partition: m.Partition, offset: m.Offset, key: m.Key,
		value: m.Value, time: m.Timestamp}
	for _, h := range m.Headers {
		out.headers = append(out.headers, header{string(h.Key), h.Value})
	}
	return out
}
