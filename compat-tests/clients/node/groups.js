// Consumer groups: members that come, leave and die; commits; going on after a restart.
'use strict'

const { spawn } = require('child_process')
const path = require('path')
const { Unsupported, outcome, until } = require('./cluster')

// A group member in a process of its own, so that it can be killed.
function startChild(c) {
  const words = ['--member', '--bootstrap', c.bootstrap, '--topic', c.topic, '--group', c.group]
  const child = spawn(process.execPath, [path.join(__dirname, 'driver.js'), ...words],
    { stdio: ['pipe', 'pipe', 'inherit'] })
  const own = { child, assigned: 0, seen: new Set() }
  let rest = ''
  child.stdout.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()
    for (const line of lines) {
      const [word, value] = line.split(' ')
      if (word === 'ASSIGNED') own.assigned = Number(value)
      if (word === 'RECORD') own.seen.add(value)
    }
  })
  return own
}

async function committed(c, topic = c.topic) {
  const admin = await c.admin()
  const [found] = await admin.fetchOffsets({ groupId: c.group, topics: [topic] })
  return found.partitions
}

async function three(c) {
  await c.createReady(c.topic, 6)
  await c.produce(6, 60)
  const killed = startChild(c)
  const first = await c.member(c.group)
  const second = await c.member(c.group)
  const own = (member, n) => member.assigned.length === n
  await until('three members own two each', () =>
    killed.assigned === 2 && own(first, 2) && own(second, 2))
  await second.consumer.disconnect()
  await until('two members own three each', () => killed.assigned === 3 && own(first, 3))
  // The one that is killed must have told what it has read and committed.
  const seen = () => new Set([...first.seen, ...second.seen, ...killed.seen]).size
  await until('all is read', async () => seen() === 60)
  killed.child.kill('SIGKILL')
  await until('the last owns all', () => own(first, 6))
  const total = async () =>
    (await committed(c)).reduce((sum, p) => sum + Math.max(Number(p.offset), 0), 0)
  await until('all is committed', async () => (await total()) === 60)
  await first.consumer.disconnect()
  return { assigned_three: [2, 2, 2], after_leave: [3, 3], after_kill: [6],
    committed_total: await total(), records_seen: seen() }
}

async function commit(c) {
  await c.createReady(c.topic, 1)
  await c.produce(1, 10)
  const own = await c.member(c.group, true)
  await until('the member owns the partition', () => own.assigned.length === 1)
  await own.consumer.commitOffsets([{ topic: c.topic, partition: 0, offset: '7',
    metadata: 'meta' }])
  const admin = await c.admin()
  const [found] = await committed(c)
  const listed = async () => (await admin.listGroups()).groups.some((g) => g.groupId === c.group)
  const state = async () => (await admin.describeGroups([c.group])).groups[0].state
  const remove = () => outcome(admin.deleteGroups([c.group]))
  const out = { committed: Number(found.offset), metadata: found.metadata,
    listed: await listed(), state_active: await state(), delete_active: await remove() }
  await own.consumer.disconnect()
  await until('group is empty', async () => (await state()) === 'Empty')
  out.state_empty = await state()
  out.delete_group = await remove()
  out.listed_after = await listed()
  return out
}

// Phase 1 fills the topic and reads 40; the later ones must go on exactly there.
const resume = (phase) => async (c) => {
  const take = phase === 1 ? 40 : 30
  if (phase === 1) {
    await c.createReady(c.topic, 1)
    await c.produce(1, 100)
  }
  const consumer = await c.connected(c.kafka.consumer({ groupId: c.group, sessionTimeout: 6000,
    maxWaitTimeInMs: 500 }))
  await consumer.subscribe({ topics: [c.topic], fromBeginning: true })
  const offsets = []
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, partition, message }) => {
      if (offsets.length === take) return
      offsets.push(Number(message.offset))
      if (offsets.length < take) return
      const offset = String(Number(message.offset) + 1)
      await consumer.commitOffsets([{ topic, partition, offset }])
      offsets.done = true
    },
  })
  await until('the records came', () => offsets.done)
  await consumer.disconnect()
  const [found] = await committed(c)
  const [first_offset, consumed] = [offsets[0], offsets.length]
  if (phase === 1) return { consumed, committed: Number(found.offset) }
  if (phase === 2) return { first_offset, consumed, committed: Number(found.offset) }
  const [ends] = await (await c.admin()).fetchTopicOffsets(c.topic)
  return { first_offset, consumed, log_end: Number(ends.high) }
}

const cannot = (why) => async () => {
  throw new Unsupported(why)
}

module.exports = {
  'group-three': three,
  'static-members': cannot('kafkajs has no static members'),
  cooperative: cannot('kafkajs has no cooperative rebalancing'),
  commit,
  'resume.1': resume(1),
  'resume.2': resume(2),
  'resume.3': resume(3),
}
