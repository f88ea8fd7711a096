"""Groups: rebalances, static members, cooperative rebalances, commits, administration."""

from adapters.base import Record, Unsupported

from .member import MemberProcess, settle, wait_for_shares
from .tools import committed_offset, eventually, outcome, step


def group_three(context):
    client, topic, group = context.client, context.named(), context.named("group")
    client.arrange_topic(topic, 6)
    client.produce(topic, [Record(b"%d" % i, partition=i % 6) for i in range(60)])
    join = lambda: MemberProcess(client, group=group, topic=topic)
    members = [join(), join(), join()]
    seen = {"assigned_three": wait_for_shares(members, 6, "three members")}
    leaving, killed, last = members
    leaving.close()
    seen["after_leave"] = wait_for_shares([killed, last], 6, "one left")
    places = lambda: {place for member in members for place in member.places}
    # The one that is killed must have told what it has read and committed.
    eventually(lambda: len(places()) == 60, "not every record was read")
    killed.kill()
    seen["after_kill"] = wait_for_shares([last], 6, "one killed")
    last.close()
    offsets = [committed_offset(client, group, topic, p) for p in range(6)]
    seen["records_seen"] = len(places())
    seen["committed_total"] = "unsupported" if "unsupported" in offsets else sum(offsets)
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
        "assigned": shares,
        "same_assignment": back.assignment == before,
        "other_disturbed": len(stays.assignments) != events,
    }
    stays.kill()
    back.kill()
    return seen


def cooperative(context):
    if not context.client.cooperates:
        raise Unsupported("no cooperative assignor")
    client, topic, group = context.client, context.named(), context.named("group")
    client.arrange_topic(topic, 6)
    join = lambda: MemberProcess(client, group=group, topic=topic, cooperative=True)
    first = join()
    alone = wait_for_shares([first], 6, "one cooperative member")
    second = join()
    wait_for_shares([first, second], 6, "two cooperative members")
    # The partitions that the first owned from its first assignment on, without a break.
    since = next(index for index, owned in enumerate(first.assignments) if owned)
    kept = set.intersection(*map(set, first.assignments[since:]))
    seen = {
        "first_alone": alone[0],
        "first_after": len(first.assignment),
        "second_after": len(second.assignment),
        "revoked_from_first": 6 - len(kept),
    }
    first.close()
    second.close()
    return seen


def commit(context):
    client, topic, group = context.client, context.named(), context.named("group")
    client.arrange_topic(topic, 2)
    client.produce(topic, [Record(b"%d" % i) for i in range(10)])
    client.commit(group, topic, 0, 7, "note")
    offset, metadata = client.committed(group, topic, 0)
    seen = {
        "committed": offset,
        "metadata": metadata,
        "never_committed": committed_offset(client, group, topic, 1),
        "again": outcome(client.commit, group, topic, 0, 3, ""),
        "went_back": committed_offset(client, group, topic, 0),
        "listed": step(lambda: group in client.list_groups()),
        "state_empty": step(client.describe_group, group),
        "delete_offsets": outcome(client.delete_offset, group, topic, 0),
    }
    if seen["delete_offsets"] != "unsupported":
        seen["after_delete_offsets"] = committed_offset(client, group, topic, 0)
    outcome(client.commit, group, topic, 1, 1, "")
    member = MemberProcess(client, group=group, topic=topic)
    wait_for_shares([member], 2, "one member")
    seen["state_active"] = step(client.describe_group, group)
    seen["delete_active"] = outcome(client.delete_group, group)
    seen["delete_offsets_active"] = outcome(client.delete_offset, group, topic, 1)
    seen["commit_from_outside"] = outcome(client.commit, group, topic, 1, 0, "")
    member.close()
    empty = lambda: step(client.describe_group, group) in ("Empty", "unsupported")
    eventually(empty, "the group is not empty")
    seen["delete_group"] = outcome(client.delete_group, group)
    if seen["delete_group"] != "unsupported":
        seen["state_deleted"] = step(client.describe_group, group)
        seen["listed_after"] = step(lambda: group in client.list_groups())
    return seen
