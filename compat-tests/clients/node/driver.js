// The Node driver: runs the named scenarios with kafkajs, one JSON line for each.
// Started with --member it is the group member that is to be killed.
'use strict'

const scenarios = {
  ...require('./records'),
  ...require('./admin'),
  ...require('./groups'),
  ...require('./wider'),
}
const { Cluster, Unsupported, sleep } = require('./cluster')

function parse(words) {
  const args = {}
  for (let i = 0; i < words.length; i++) {
    const key = words[i].slice(2)
    const flag = i + 1 === words.length || words[i + 1].startsWith('--')
    args[key] = flag ? '' : words[++i]
  }
  return args
}

async function one(args, scenario) {
  const line = { client: args.client, scenario }
  const body = scenarios[scenario]
  if (!body) return { ...line, unsupported: 'no such scenario' }
  // A phase (resume.2) goes on with the topic of its scenario.
  const cluster = new Cluster(args.bootstrap, `${args.prefix}-${scenario.split('.')[0]}`)
  const start = Date.now()
  try {
    line.observed = await body(cluster)
  } catch (error) {
    if (error instanceof Unsupported) {
      line.unsupported = error.message
    } else {
      line.error = String(error.stack)
    }
  }
  await cluster.close()
  console.error(`${args.client} ${scenario}: ${Date.now() - start} ms`)
  return line
}

// The child's side of a member that is killed: tells what it owns and what it has read.
async function member(args) {
  process.stdin.on('end', () => process.exit(0)).resume()
  const cluster = new Cluster(args.bootstrap, args.topic)
  const own = await cluster.member(args.group)
  const told = new Set()
  for (let last = -1; ; await sleep(20)) {
    for (const record of own.seen) {
      if (!told.has(record)) console.log(`RECORD ${record}`)
      told.add(record)
    }
    if (own.assigned.length !== last) console.log(`ASSIGNED ${(last = own.assigned.length)}`)
  }
}

async function main() {
  const args = parse(process.argv.slice(2))
  if ('member' in args) return member(args)
  for (const scenario of args.scenarios.split(',')) {
    console.log(JSON.stringify(await one(args, scenario)))
  }
  process.exit(0)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
