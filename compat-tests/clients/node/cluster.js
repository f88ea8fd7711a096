// The broker under test and the topic of one scenario: makes clients and closes them.
'use strict'

const crypto = require('crypto')
const { Kafka, logLevel, Partitioners, CompressionTypes, CompressionCodecs } = require('kafkajs')
const snappy = require('kafkajs-snappy')
const lz4 = require('lz4js')
const zstd = require('@bokuweb/zstd-wasm')

CompressionCodecs[CompressionTypes.Snappy] = snappy
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async (encoder) => independent(Buffer.from(lz4.compress(encoder.buffer))),
  decompress: async (buffer) => Buffer.from(lz4.decompress(buffer)),
})
const zstdReady = zstd.init()
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder) => {
    await zstdReady
    return Buffer.from(zstd.compress(encoder.buffer, 3))
  },
  decompress: async (buffer) => {
    await zstdReady
    return Buffer.from(zstd.decompress(buffer))
  },
})

// Kafka wants a frame that says that its blocks are independent. lz4js does not say so, but one
// block always is: flags, block size (4 MB) and the checksum of the two are written anew.
function independent(frame) {
  frame.set([0x60, 0x70, 0x73], 4)
  return frame
}

class Unsupported extends Error {}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

async function until(what, condition) {
  for (const deadline = Date.now() + 45000; !(await condition()); await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`not reached in 45 s: ${what}`)
  }
}

// Kafka's name for what a call came to. kafkajs wraps the broker's errors in several ways.
async function outcome(promise) {
  try {
    await promise
    return 'NONE'
  } catch (error) {
    return name(error)
  }
}

function name(error) {
  if (error.type) return error.type
  for (const inner of error.errors || error.groups || []) {
    const found = inner.type || (inner.error && inner.error.type) || errorOfCode(inner.errorCode)
    if (found) return found
  }
  if (error.partitions && error.partitions.length) return name(error.partitions[0].error)
  if (error.cause) return name(error.cause)
  return `CLIENT:${error.message}`
}

function errorOfCode(code) {
  return code && require('kafkajs/src/protocol/error').createErrorFromCode(code).type
}

// Record i of the data set that all drivers produce.
function record(partitions, i) {
  const value = `value-${i}-` + 'x'.repeat(100)
  return { partition: i % partitions, key: `key-${i}`, value }
}

// Short bytes as hex, long ones as length and hash, none as null.
function render(bytes) {
  if (bytes === null || bytes === undefined) return null
  const all = Buffer.from(bytes)
  if (all.length <= 64) return all.toString('hex')
  return `${all.length}:${crypto.createHash('sha256').update(all).digest('hex')}`
}

function hash(records) {
  const sum = crypto.createHash('sha256')
  const ordered = [...records].sort((a, b) => a.partition - b.partition || a.offset - b.offset)
  for (const r of ordered) {
    sum.update(`${r.partition}:${r.offset}:`).update(r.key).update(':').update(r.value).update('\n')
  }
  return sum.digest('hex')
}

class Cluster {
  constructor(bootstrap, topic) {
    this.bootstrap = bootstrap
    this.topic = topic
    this.open = []
    this.readers = 0
    this.kafka = this.client({ retries: 40, initialRetryTime: 50, maxRetryTime: 1000 })
  }

  client(retry) {
    const logCreator = () => ({ log }) => {
      if (process.env.KAFKAJS_LOG) console.error(log.message, log.error || '')
    }
    const brokers = [this.bootstrap]
    return new Kafka({ brokers, retry, logLevel: logLevel.INFO, logCreator, requestTimeout: 15000 })
  }

  get group() {
    return `${this.topic}-group`
  }

  async connected(client) {
    this.open.push(client)
    await client.connect()
    return client
  }

  // One admin client that gives up soon, so that errors are seen and not retried.
  async admin() {
    if (!this.administrator) {
      this.administrator = await this.connected(this.client({ retries: 1 }).admin())
    }
    return this.administrator
  }

  async producer(options = {}) {
    const createPartitioner = Partitioners.DefaultPartitioner
    return this.connected(this.kafka.producer({ createPartitioner, ...options }))
  }

  async create(topic, numPartitions, configs = {}, replicationFactor = 1) {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const topics = [{ topic, numPartitions, replicationFactor, configEntries }]
    return (await this.admin()).createTopics({ topics, waitForLeaders: false })
  }

  async createReady(topic, partitions, configs) {
    await this.create(topic, partitions, configs)
    await until(`${topic} is visible`, async () => {
      const found = await this.partitions(topic).catch(() => 0)
      return found === partitions
    })
    await this.leaders(topic)
  }

  // Where one partition is not ready, kafkajs would send the records of all a second time.
  async leaders(topic) {
    const admin = await this.admin()
    await until(`${topic} has leaders`, async () =>
      (await outcome(admin.fetchTopicOffsets(topic))) === 'NONE')
  }

  async partitions(topic) {
    const admin = await this.admin()
    return (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length
  }

  async produce(partitions, count, compression, topic = this.topic) {
    const producer = await this.producer()
    // Several sends, so that the topic holds several batches.
    for (let i = 0; i < count; i += 60) {
      const messages = []
      for (let j = i; j < Math.min(i + 60, count); j++) messages.push(record(partitions, j))
      await producer.send({ topic, compression, messages })
    }
  }

  // A reader of whole topics, at work once this returns. kafkajs reads as a member of a group
  // only, so each reader has a group of its own.
  async reader(topics, { fromBeginning = true, fetch = {}, seek } = {}) {
    const groupId = `${this.topic}-read-${++this.readers}`
    const consumer = await this.connected(this.kafka.consumer({ groupId, maxWaitTimeInMs: 500,
      ...fetch }))
    await consumer.subscribe({ topics, fromBeginning })
    // By place: kafkajs may bring a record again when its group changes.
    const all = new Map()
    const joined = new Promise((done) => consumer.on(consumer.events.GROUP_JOIN, done))
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const m of batch.messages) {
          const { topic, partition } = batch
          const place = `${topic}:${partition}:${m.offset}`
          all.set(place, { ...m, partition, offset: Number(m.offset) })
        }
      },
    })
    if (seek !== undefined) consumer.seek({ topic: topics[0], partition: 0, offset: seek })
    await joined
    return { consumer, all: () => [...all.values()], forget: () => all.clear() }
  }

  // Reads until count records came and a moment more, or what comes within the patience.
  async read(topics, count, { patience = 20000, ...options } = {}) {
    const reader = await this.reader(topics, options)
    const deadline = Date.now() + patience
    while (reader.all().length < count && Date.now() < deadline) await sleep(10)
    // Time for records that should not come: nothing tells that there are none.
    if (reader.all().length >= count) await sleep(200)
    await reader.consumer.disconnect()
    return reader.all()
  }

  // A group member that commits what it reads and tells what it owns.
  async member(groupId, passive = false) {
    const consumer = await this.connected(this.kafka.consumer({ groupId, sessionTimeout: 6000,
      heartbeatInterval: 500, rebalanceTimeout: 10000, maxWaitTimeInMs: 500 }))
    const own = { consumer, assigned: [], seen: new Set() }
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      own.assigned = payload.memberAssignment[this.topic] || []
    })
    consumer.on(consumer.events.REBALANCING, () => (own.assigned = []))
    await consumer.subscribe({ topics: [this.topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message }) => {
        if (passive) return
        own.seen.add(`${partition}:${message.offset}`)
        const offset = String(Number(message.offset) + 1)
        await consumer.commitOffsets([{ topic, partition, offset }])
      },
    })
    return own
  }

  async close() {
    for (const client of this.open) await client.disconnect().catch(() => {})
  }
}

module.exports = { Cluster, Unsupported, hash, name, outcome, record, render, sleep, until }
