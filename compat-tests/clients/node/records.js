// Producing and reading back: codecs, shapes, timestamps, segments, idempotence.
'use strict'

const { CompressionTypes } = require('kafkajs')
const { hash, record, render, sleep } = require('./cluster')

const BASE = 1700000000000
const { None, GZIP, Snappy, LZ4, ZSTD } = CompressionTypes

const codec = (compression) => async (c) => {
  await c.createReady(c.topic, 3)
  await c.produce(3, 200, compression)
  const read = await c.read([c.topic], 200)
  return { count: read.length, sha256: hash(read) }
}

async function shapes(c) {
  await c.createReady(c.topic, 1)
  const large = Buffer.alloc(900000)
  for (let j = 0; j < large.length; j++) large[j] = j % 251
  const headers = { a: ['1', '2'], b: Buffer.alloc(0), d: Buffer.from([0xff, 0xfe, 0]) }
  const messages = [
    { key: 'dup', value: 'headers', headers },
    { key: 'nullvalue', value: null },
    { key: null, value: 'nullkey' },
    { key: Buffer.alloc(0), value: Buffer.alloc(0) },
    { key: 'one', value: '1' },
    { key: 'large', value: large },
  ]
  const producer = await c.producer()
  for (const message of messages) {
    await producer.send({ topic: c.topic, messages: [{ partition: 0, ...message }] })
  }
  const read = await c.read([c.topic], messages.length)
  const pairs = (all) => Object.entries(all).flatMap(([key, value]) =>
    [value].flat().map((each) => [render(key), render(each)]))
  const shape = (r) => ({ k: render(r.key), v: render(r.value), h: pairs(r.headers) })
  return { records: read.map(shape) }
}

async function timestamps(c) {
  await c.createReady(c.topic, 1)
  const producer = await c.producer()
  for (let i = 0; i < 5; i++) {
    const message = { ...record(1, i), timestamp: String(BASE + i * 1000) }
    await producer.send({ topic: c.topic, messages: [message] })
  }
  const admin = await c.admin()
  const [ends] = await admin.fetchTopicOffsets(c.topic)
  const at = async (time) =>
    Number((await admin.fetchTopicOffsetsByTimestamp(c.topic, time))[0].offset)
  const read = await c.read([c.topic], 5)
  return {
    earliest: Number(ends.low),
    latest: Number(ends.high),
    before_all: await at(BASE - 5000),
    at_exact: await at(BASE + 2000),
    between: await at(BASE + 2500),
    // kafkajs itself answers with the end of the log where nothing is that late.
    after_all_end: await at(BASE + 9000),
    timestamps: read.map((r) => Number(r.timestamp) - BASE),
  }
}

async function logAppendTime(c) {
  await c.createReady(c.topic, 1, { 'message.timestamp.type': 'LogAppendTime' })
  const before = Date.now()
  const producer = await c.producer()
  const messages = [{ ...record(1, 0), timestamp: String(BASE) }]
  await producer.send({ topic: c.topic, compression: GZIP, messages })
  const [read] = await c.read([c.topic], 1)
  const time = Number(read.timestamp)
  return { within: time >= before - 1000 && time <= Date.now() + 1000 }
}

async function compressionType(c) {
  const out = {}
  for (const type of ['zstd', 'uncompressed']) {
    const topic = `${c.topic}-${type}`
    await c.createReady(topic, 1, { 'compression.type': type })
    await c.produce(1, 50, GZIP, topic)
    out[type] = (await c.read([topic], 50)).length
  }
  return out
}

async function segments(c) {
  await c.createReady(c.topic, 1, { 'segment.bytes': '1048576' })
  const producer = await c.producer()
  for (let i = 0; i < 5000; i += 500) {
    const messages = []
    for (let j = i; j < i + 500; j++) {
      const head = `value-${j}-`
      const value = head + 'x'.repeat(1000 - head.length)
      messages.push({ partition: 0, key: `key-${j}`, value })
    }
    await producer.send({ topic: c.topic, messages })
  }
  const fetch = { maxBytesPerPartition: 65536, maxBytes: 65536 }
  const read = await c.read([c.topic], 5000, { fetch })
  return { count: read.length, sha256: hash(read) }
}

async function emptyPoll(c) {
  await c.createReady(c.topic, 1)
  const empty = await c.read([c.topic], 1, { patience: 1000 })
  await c.produce(1, 10, None)
  const end = await c.read([c.topic], 1, { patience: 1000, fromBeginning: false })
  return { empty_records: empty.length, end_records: end.length }
}

async function autoCreate(c) {
  await c.produce(1, 10, None)
  const partitions = await c.partitions(c.topic)
  return { partitions, count: (await c.read([c.topic], 10)).length }
}

async function idempotentWrite(c) {
  await c.createReady(c.topic, 1)
  const producer = await c.producer({ idempotent: true, maxInFlightRequests: 1 })
  let acked = 0
  for (let i = 0; i < 1000; i += 5) {
    const messages = []
    for (let j = i; j < i + 5; j++) messages.push(record(1, j))
    await producer.send({ topic: c.topic, messages })
    acked += messages.length
    if (acked === 200) console.error('PHASE ready')
    // Slowly: the broker must be killed while there is something left to send.
    await sleep(15)
  }
  return { acked }
}

async function idempotentRead(c) {
  const read = await c.read([c.topic], 1000)
  const keys = read.map((r) => r.key.toString())
  const inOrder = keys.every((key, i) => key === `key-${i}`)
  return { count: read.length, distinct: new Set(keys).size, in_order: inOrder }
}

module.exports = {
  'codec-none': codec(None),
  'codec-gzip': codec(GZIP),
  'codec-snappy': codec(Snappy),
  'codec-lz4': codec(LZ4),
  'codec-zstd': codec(ZSTD),
  'record-shapes': shapes,
  timestamps,
  'log-append-time': logAppendTime,
  'compression-type': compressionType,
  segments,
  'empty-poll': emptyPoll,
  'auto-create': autoCreate,
  'idempotent.1': idempotentWrite,
  'idempotent.2': idempotentRead,
}
