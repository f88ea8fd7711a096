// What a user meets later: many partitions, lost offsets, patterns, pauses, topics made anew.
'use strict'

const { AssignerProtocol } = require('kafkajs')
const { hash, outcome, record, sleep, until } = require('./cluster')

async function thousandPartitions(c) {
  // Kafka takes seconds to make as many, so that all clients share them.
  const topic = 'thousand-partitions'
  await c.create(topic, 1000)
  await until('all partitions are there', async () =>
    (await c.partitions(topic).catch(() => 0)) === 1000)
  await c.leaders(topic)
  const producer = await c.producer()
  const messages = Array.from({ length: 1000 }, (_, partition) =>
    ({ partition, key: c.topic, value: '' }))
  await producer.send({ topic, messages })
  const reader = await c.reader([topic])
  const own = () => reader.all().filter((r) => r.key.toString() === c.topic)
  await until('the records are read', () => own().length >= 1000)
  await reader.consumer.disconnect()
  return { read: own().length, partitions: new Set(own().map((r) => r.partition)).size }
}

// kafkajs reads what is committed unless it is told otherwise.
async function readCommitted(c) {
  await c.createReady(c.topic, 1)
  await c.produce(1, 50)
  return { read: (await c.read([c.topic], 50)).length }
}

async function outOfRange(c) {
  await c.createReady(c.topic, 1)
  await c.produce(1, 50)
  const admin = await c.admin()
  await admin.deleteTopicRecords({ topic: c.topic, partitions: [{ partition: 0, offset: '20' }] })
  const first = async (seek) => (await c.read([c.topic], 30, { seek }))[0].offset
  const out = { below: await first('5'), beyond: await first('1000') }
  const reader = await c.reader([c.topic], { fromBeginning: false, seek: '5' })
  // What was there before must not come; how much is written before it is at the end is open.
  await until('something comes', async () => {
    await c.produce(1, 1)
    return reader.all().length > 0
  })
  out.latest = Math.min(reader.all()[0].offset, 50)
  await reader.consumer.disconnect()
  return out
}

async function acks(c) {
  await c.createReady(c.topic, 2)
  const producer = await c.producer()
  for (const required of [0, 1]) {
    const messages = Array.from({ length: 100 }, (_, i) =>
      ({ ...record(1, i), partition: required }))
    await producer.send({ topic: c.topic, acks: required, messages })
  }
  const admin = await c.admin()
  const ends = async () => {
    const found = await admin.fetchTopicOffsets(c.topic)
    return found.sort((a, b) => a.partition - b.partition).map((p) => Number(p.high))
  }
  await until('all has arrived', async () => (await ends()).every((end) => end === 100))
  return { ends: await ends(), read: (await c.read([c.topic], 200)).length }
}

async function recreate(c) {
  await c.createReady(c.topic, 1)
  await c.produce(1, 10)
  const fetch = { allowAutoTopicCreation: false, metadataMaxAge: 500 }
  const reader = await c.reader([c.topic], { fetch })
  await until('the records are read', () => reader.all().length === 10)
  const before = reader.all().length
  reader.forget()
  const admin = await c.admin()
  await admin.deleteTopics({ topics: [c.topic] })
  await until('topic is gone', async () => (await outcome(c.partitions(c.topic))) !== 'NONE')
  await c.createReady(c.topic, 1)
  await c.produce(1, 3)
  await until('the new records are read', () => reader.all().length >= 3)
  await reader.consumer.disconnect()
  return { before, after: reader.all().map((r) => r.offset) }
}

async function largeRecords(c) {
  await c.createReady(c.topic, 1)
  const value = Buffer.alloc(900000)
  for (let j = 0; j < value.length; j++) value[j] = j % 251
  const producer = await c.producer()
  for (let i = 0; i < 40; i++) {
    await producer.send({ topic: c.topic, messages: [{ partition: 0, key: `key-${i}`, value }] })
  }
  const read = await c.read([c.topic], 40)
  return { read: read.length, sha256: hash(read) }
}

// kafkajs looks for the topics that match once, when it subscribes.
async function pattern(c) {
  for (const [name, partitions] of [['.a', 1], ['.b', 2], ['-other', 1]]) {
    await c.createReady(c.topic + name, partitions)
  }
  const topics = [new RegExp(`^${c.topic}\\.[ab-d]$`)]
  const consumer = await c.connected(c.kafka.consumer({ groupId: c.group, maxWaitTimeInMs: 500 }))
  let places = []
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    places = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((p) => `${topic.replace(c.topic, '')}:${p}`))
  })
  await consumer.subscribe({ topics })
  await consumer.run({ eachMessage: async () => {} })
  await until('the partitions are owned', () => places.length > 0)
  await consumer.disconnect()
  return { before: places.length, places: places.sort() }
}

// A fetch may be on its way when a partition is paused, so something comes from the other
// partition before there is anything to read in the paused one.
async function pause(c) {
  await c.createReady(c.topic, 2)
  const reader = await c.reader([c.topic])
  reader.consumer.pause([{ topic: c.topic, partitions: [0] }])
  const producer = await c.producer()
  await producer.send({ topic: c.topic, messages: [record(2, 1)] })
  await until('the first record comes', () => reader.all().length === 1)
  const counts = async () => {
    await until('fifty records come', () => reader.all().length >= 50)
    // Time for records that should not come: nothing tells that there are none.
    await sleep(200)
    const first = reader.all().filter((r) => r.partition === 0).length
    return [first, reader.all().length - first]
  }
  reader.forget()
  await c.produce(2, 100)
  const paused = await counts()
  reader.forget()
  reader.consumer.resume([{ topic: c.topic, partitions: [0] }])
  const resumed = await counts()
  await reader.consumer.disconnect()
  return { paused, resumed }
}

async function cluster(c) {
  await c.createReady(c.topic, 1)
  const admin = await c.admin()
  const { brokers, controller, clusterId } = await admin.describeCluster()
  const own = await c.member(c.group, true)
  await until('the member owns the partition', () => own.assigned.length === 1)
  await own.consumer.commitOffsets([{ topic: c.topic, partition: 0, offset: '0',
    metadata: 'note' }])
  const [found] = (await admin.describeGroups([c.group])).groups
  const assigned = (m) => AssignerProtocol.MemberAssignment.decode(m.memberAssignment).assignment
  const members = found.members.map((m) => [m.clientHost, assigned(m)[c.topic]])
  const [offsets] = await admin.fetchOffsets({ groupId: c.group, topics: [c.topic] })
  await own.consumer.disconnect()
  return {
    nodes: brokers.length,
    controller: brokers.some((b) => b.nodeId === controller),
    address: brokers.every((b) => `${b.host}:${b.port}` === c.bootstrap),
    cluster_id: Boolean(clusterId),
    group: [found.state, found.protocol, members],
    metadata: offsets.partitions[0].metadata,
  }
}

module.exports = {
  'thousand-partitions': thousandPartitions,
  'read-committed': readCommitted,
  'out-of-range': outOfRange,
  acks,
  recreate,
  'large-records': largeRecords,
  pattern,
  pause,
  cluster,
}
