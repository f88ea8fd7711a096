"""Groups: rebalances, static members, cooperative rebalances, commits, administration."""

from adapters.base import Record, Unsupported

from .member import MemberProcess, settle, wait_for_shares
from .tools import eventually, outcome, step


def group_three(context):
    client, topic, group = context.client, context.named(), context.named("group")
    client.arrange_topic(topic, 6)
    client.produce(topic, [Record(b"%d" % i, partition=i % 6) for i in range(60)])
    join = lambda: MemberProcess(client, group=group, topic=topic)
    members = [join(), join(), join()]
    seen = {"three": wait_for_shares(members, 6, "three members")}
    leaving, killed, last = members
    leaving.close()
    seen["one left"] = wait_for_shares([killed, last], 6, "one left")
    killed.kill()
    seen["one killed"] = wait_for_shares([last], 6, "one killed")
    read = lambda: {place for member in members for place in member.places}
    eventually(lambda: len(read()) == 60, "not every record was read")
    last.close()
    offsets = [step(client.committed, group, topic, p) for p in range(6)]
    seen["read"] = len(read())
    seen["committed"] = offsets
    return seen


def static_members(context):
    client, topic, group = context.client, context.named(), context.named("group")
    client.arrange_topic(topic, 6)
    join = lambda instance: MemberProcess(
        client, group=group, topic=topic, session_ms=20_000, instance=instance
    )
    stays, restarts = join("one"), join("two")
    shares = wait_for_shares([stays, restarts], 6, "two static members")
    before, events = restarts.assignment, len(stays.assignments)
    restarts.kill()
    back = join("two")
    eventually(lambda: back.assignment, "the member that restarted gets nothing")
    settle(1.0)
    seen = {
        "shares": shares,
        "same assignment": back.assignment == before,
        "other undisturbed": len(stays.assignments) == events,
    }
    stays.kill()
    back.kill()
    return seen


def cooperative(context):
    if not context.client.cooperates:
        raise Unsupported("no cooperative assignor")
    client, topic, group = context.client, context.named(), context.named("group")
    client.arrange_topic(topic, 4)
    join = lambda: MemberProcess(client, group=group, topic=topic, cooperative=True)
    first = join()
    alone = wait_for_shares([first], 4, "one cooperative member")
    second = join()
    together = wait_for_shares([first, second], 4, "two cooperative members")
    # The partitions that the first owned from its first assignment on, without a break.
    held = [a for a in first.assignments if a]
    kept = set(held[0]).intersection(*held)
    never_empty = all(first.assignments[first.assignments.index(held[0]) :])
    first.close()
    second.close()
    return {
        "alone": alone,
        "together": together,
        "kept without revoking": len(kept),
        "never empty": never_empty,
    }


def commit(context):
    client, topic, group = context.client, context.named(), context.named("group")
    client.arrange_topic(topic, 2)
    client.produce(topic, [Record(b"%d" % i) for i in range(10)])
    seen = {
        "commit": outcome(client.commit, group, topic, 0, 7, "note"),
        "committed": step(client.committed, group, topic, 0),
        "never committed": step(client.committed, group, topic, 1),
        "again": outcome(client.commit, group, topic, 0, 3, ""),
        "went back": step(client.committed, group, topic, 0),
        "listed": step(lambda: group in client.list_groups()),
        "state": step(client.describe_group, group),
        "delete offset": outcome(client.delete_offset, group, topic, 0),
        "after delete": step(client.committed, group, topic, 0),
    }
    if seen["commit"] == "unsupported":
        client.commit(group, topic, 0, 7, "note")
    outcome(client.commit, group, topic, 1, 1, "")
    member = MemberProcess(client, group=group, topic=topic)
    wait_for_shares([member], 2, "one member")
    seen["state with member"] = step(client.describe_group, group)
    seen["delete with member"] = outcome(client.delete_group, group)
    seen["delete offset with member"] = outcome(client.delete_offset, group, topic, 1)
    seen["commit from outside"] = outcome(client.commit, group, topic, 1, 0, "")
    member.close()
    empty = lambda: step(client.describe_group, group) in ("empty", "unsupported")
    eventually(empty, "the group is not empty")
    seen["delete group"] = outcome(client.delete_group, group)
    seen["deleted state"] = step(client.describe_group, group)
    seen["still listed"] = step(lambda: group in client.list_groups())
    return seen
