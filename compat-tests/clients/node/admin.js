// What an administrator does to topics and configurations, and the errors it meets.
'use strict'

const { ConfigResourceTypes } = require('kafkajs')
const { outcome, record, until } = require('./cluster')

const SOURCES = { 1: 'DYNAMIC_TOPIC_CONFIG', 5: 'DEFAULT_CONFIG' }

// kafkajs says false, and nothing else, when the topic was there.
async function created(promise) {
  let existed = false
  const result = await outcome(promise.then((fresh) => (existed = !fresh)))
  return existed ? 'TOPIC_ALREADY_EXISTS' : result
}

async function topicAdmin(c) {
  const admin = await c.admin()
  const retention = { 'retention.ms': '7200000' }
  const out = {}
  out.create = await created(c.create(c.topic, 3, retention))
  out.create_again = await created(c.create(c.topic, 3, retention))
  await until('topic is visible', async () => (await admin.listTopics()).includes(c.topic))
  out.listed = true
  out.partitions = await c.partitions(c.topic)
  const topicPartitions = [{ topic: c.topic, count: 5 }]
  out.create_partitions = await outcome(admin.createPartitions({ topicPartitions }))
  await until('partitions are added', async () => (await c.partitions(c.topic)) === 5)
  out.partitions_after = 5

  // The old AlterConfigs replaces all of a topic's settings: both are named.
  const type = ConfigResourceTypes.TOPIC
  const configEntries = [
    { name: 'max.message.bytes', value: '123456' },
    { name: 'retention.ms', value: '7200000' },
  ]
  const resources = [{ type, name: c.topic, configEntries }]
  out.alter = await outcome(admin.alterConfigs({ validateOnly: false, resources }))
  const configNames = ['max.message.bytes', 'retention.ms']
  const entries = async () => (await admin.describeConfigs({ includeSynonyms: false,
    resources: [{ type, name: c.topic, configNames }] })).resources[0].configEntries
  const value = (all, name) => all.find((entry) => entry.configName === name)
  await until('config is visible', async () =>
    value(await entries(), 'max.message.bytes').configValue === '123456')
  out.configs = {}
  for (const name of configNames) {
    const entry = value(await entries(), name)
    out.configs[name] = [entry.configValue, SOURCES[entry.configSource] || 'other']
  }
  out.delete = await outcome(admin.deleteTopics({ topics: [c.topic] }))
  await until('topic is gone', async () => (await outcome(c.partitions(c.topic))) !== 'NONE')
  out.describe_deleted = await outcome(c.partitions(c.topic))
  return out
}

async function deleteRecords(c) {
  await c.createReady(c.topic, 1)
  await c.produce(1, 50)
  const admin = await c.admin()
  const before = (offset) =>
    admin.deleteTopicRecords({ topic: c.topic, partitions: [{ partition: 0, offset }] })
  await before('20')
  const [ends] = await admin.fetchTopicOffsets(c.topic)
  const read = await c.read([c.topic], 30, { seek: '0' })
  return {
    earliest: Number(ends.low),
    latest: Number(ends.high),
    read: read.length,
    first: read[0].offset,
    beyond: await outcome(before('1000')),
  }
}

async function errors(c) {
  await c.createReady(c.topic, 1, { 'max.message.bytes': '10000' })
  const missing = `${c.topic}-missing`
  const producer = await c.producer()
  const messages = [{ partition: 0, value: Buffer.alloc(20000) }]
  const admin = await c.admin()
  const [offsets] = await admin.fetchOffsets({ groupId: `${c.topic}-nobody`, topics: [c.topic] })
  return {
    too_large: await outcome(producer.send({ topic: c.topic, messages })),
    unknown_topic_metadata: await outcome(c.partitions(missing)),
    unknown_group: Number(offsets.partitions[0].offset),
    bad_name: await outcome(c.create(`${c.topic} bad/name!`, 1)),
    bad_config_name: await outcome(c.create(missing, 1, { 'no.such.config': '1' })),
    bad_config_value: await outcome(c.create(missing, 1, { 'retention.ms': 'abc' })),
    replication: await outcome(c.create(missing, 1, {}, 3)),
    partitions_zero: await outcome(c.create(missing, 0)),
  }
}

async function listMany(c) {
  const names = Array.from({ length: 100 }, (_, i) => `${c.topic}-${String(i).padStart(3, '0')}`)
  const admin = await c.admin()
  const topics = names.map((topic) => ({ topic, numPartitions: 1, replicationFactor: 1 }))
  await admin.createTopics({ topics, waitForLeaders: false })
  const listed = async () =>
    (await admin.listTopics()).filter((name) => name.startsWith(`${c.topic}-`)).length
  await until('all topics are listed', async () => (await listed()) === 100)
  for (const name of names) await c.leaders(name)
  const producer = await c.producer()
  await producer.sendBatch({ topicMessages: names.map((topic, i) => ({ topic,
    messages: [record(1, i)] })) })
  const read = await c.read(names, 100)
  return { created: topics.length, listed: await listed(), read: read.length }
}

module.exports = {
  'topic-admin': topicAdmin,
  'delete-records': deleteRecords,
  errors,
  'list-many': listMany,
}
