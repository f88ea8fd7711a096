package main

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

var groupCases = []testCase{
	{kmsg.JoinGroup, "join/life", joinLife, nil},
	{kmsg.JoinGroup, "join/errors", joinErrors, nil},
	{kmsg.JoinGroup, "join/two", joinTwo, nil},
	{kmsg.JoinGroup, "join/static", joinStatic, since(5)},
	{kmsg.SyncGroup, "sync/errors", syncErrors, nil},
	{kmsg.Heartbeat, "heartbeat/errors", heartbeatErrors, nil},
	{kmsg.LeaveGroup, "leave/one", leaveOne, nil},
	{kmsg.LeaveGroup, "leave/batch", leaveBatch, since(3)},
	{kmsg.DescribeGroups, "describe-groups/all", describeGroups, nil},
	{kmsg.ListGroups, "list-groups/all", listGroups, nil},
	{kmsg.DeleteGroups, "delete-groups/all", deleteGroups, nil},
	{kmsg.FindCoordinator, "find-coordinator/all", findCoordinator, nil},
}

// member is one member of a group that a case has made.
type member struct {
	group, id  string
	instance   *string
	generation int32
	protocol   string
	c          *conn
}

// joined takes over what the answer to a join says.
func (m *member) joined(answer kmsg.Response) {
	joined := answer.(*kmsg.JoinGroupResponse)
	m.id, m.generation, m.protocol = joined.MemberID, joined.Generation, ""
	if joined.Protocol != nil {
		m.protocol = *joined.Protocol
	}
}

func (r *run) joinRequest(m *member, protocols ...string) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.InstanceID = m.group, m.id, m.instance
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis, req.ProtocolType = 30000, 30000, "consumer"
	if len(protocols) == 0 {
		protocols = []string{"range"}
	}
	for _, name := range protocols {
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = name, subscription(name)
		req.Protocols = append(req.Protocols, p)
	}
	return req
}

// subscription is what a consumer says of itself. Kafka does not answer a join whose subscription
// it cannot read.
func subscription(userData string, topics ...string) []byte {
	s := kmsg.NewConsumerMemberMetadata()
	s.Topics, s.UserData = topics, []byte(userData)
	return s.AppendTo(nil)
}

// join makes a member of m on the way, with a second try where its id comes first.
func (r *run) join(m *member, protocols ...string) {
	for {
		resp := r.use(r.joinRequest(m, protocols...)).(*kmsg.JoinGroupResponse)
		m.joined(resp)
		if resp.ErrorCode != 79 {
			return
		}
	}
}

func (r *run) syncRequest(m *member, assign ...*member) *kmsg.SyncGroupRequest {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = m.group, m.id, m.instance, m.generation
	if m.protocol != "" {
		typ := "consumer"
		req.ProtocolType, req.Protocol = &typ, &m.protocol
	}
	for _, other := range assign {
		a := kmsg.NewSyncGroupRequestGroupAssignment()
		a.MemberID, a.MemberAssignment = other.id, []byte("what it reads")
		req.GroupAssignment = append(req.GroupAssignment, a)
	}
	return req
}

// stable is a group of one member that has its assignment.
func (r *run) stable(suffix string) *member {
	m := &member{group: r.name + suffix}
	r.join(m, "range", "roundrobin")
	r.use(r.syncRequest(m, m))
	return m
}

func (r *run) beatRequest(m *member) *kmsg.HeartbeatRequest {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = m.group, m.id, m.instance, m.generation
	return req
}

func (r *run) leaveRequest(m *member) *kmsg.LeaveGroupRequest {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = m.group, m.id
	one := kmsg.NewLeaveGroupRequestMember()
	one.MemberID, one.InstanceID = m.id, m.instance
	req.Members = append(req.Members, one)
	return req
}

func (r *run) describe(group string) {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{group}
	r.also("described", req)
}

func joinLife(r *run) {
	m := &member{group: r.name}
	m.joined(r.ask("first", r.joinRequest(m, "range", "roundrobin")))
	if r.version >= 4 {
		m.joined(r.ask("with the id", r.joinRequest(m, "range", "roundrobin")))
	}
	r.describe(m.group)
	r.also("sync", r.syncRequest(m, m))
	r.also("sync again", r.syncRequest(m))
	r.also("beat", r.beatRequest(m))
	r.describe(m.group)
	m.joined(r.ask("joins again", r.joinRequest(m, "range", "roundrobin")))
	r.also("beat before the sync", r.beatRequest(m))
	r.also("sync", r.syncRequest(m, m))
	other := r.joinRequest(m, "roundrobin")
	why := "because"
	other.Reason = &why
	m.joined(r.ask("with another protocol", other))
	r.also("sync", r.syncRequest(m, m))
	r.also("leave", r.leaveRequest(m))
	r.describe(m.group)
	r.ask("after it left", r.joinRequest(m, "range"))
}

func joinErrors(r *run) {
	m := func(group, id string) *member { return &member{group: r.name + group, id: id} }
	r.ask("unknown member, no group", r.joinRequest(m(".none", "nobody")))
	r.ask("no group id", r.joinRequest(&member{}))
	for _, timeout := range []int32{0, -1, 5999, 1800001} {
		req := r.joinRequest(m(".timeout", ""))
		req.SessionTimeoutMillis = timeout
		r.ask("session time-out", req)
	}
	none := r.joinRequest(m(".protocols", ""))
	none.Protocols = nil
	r.ask("no protocols", none)
	untyped := r.joinRequest(m(".protocols", ""))
	untyped.ProtocolType = ""
	r.ask("no protocol type", untyped)
	there := r.stable(".stable")
	r.ask("unknown member", r.joinRequest(m(".stable", "nobody")))
	r.ask("other protocols", r.joinRequest(m(".stable", ""), "sticky"))
	typed := r.joinRequest(m(".stable", ""))
	typed.ProtocolType = "connect"
	r.ask("other protocol type", typed)
	own := r.joinRequest(there, "sticky")
	own.ProtocolType = "connect"
	r.ask("own type changed", own)
	empty := r.joinRequest(m(".stable", ""))
	empty.Protocols = nil
	r.ask("no protocols, there", empty)
	if r.version >= 5 {
		instance := "i"
		r.ask("unknown instance, with an id", r.joinRequest(&member{group: r.name + ".stable", id: "x", instance: &instance}))
		for n, name := range []string{"", ".", "no such/name", strings.Repeat("x", 250)} {
			group := fmt.Sprintf("%s.names.%d", r.name, n)
			r.ask("instance's name", r.joinRequest(&member{group: group, instance: &name}))
		}
	}
}

// joinTwo has a second member come, and both see the rebalance.
func joinTwo(r *run) {
	a := r.stable("")
	r.seen.know(a.id)
	b := &member{group: r.name, c: r.open()}
	req := r.joinRequest(b, "roundrobin", "range")
	req.SetVersion(r.version)
	b.c.send(usual(req), req.AppendTo(nil))
	if r.version >= 4 {
		b.id = r.answer("b is given an id", b.c, req, answerLimit).(*kmsg.JoinGroupResponse).MemberID
		req = r.joinRequest(b, "roundrobin", "range")
		req.SetVersion(r.version)
		b.c.send(usual(req), req.AppendTo(nil))
	}
	eventually("the rebalance begins", func() bool {
		return r.use(r.beatRequest(a)).(*kmsg.HeartbeatResponse).ErrorCode == 27
	})
	r.describe(r.name)
	a.joined(r.ask("a", r.joinRequest(a, "range", "roundrobin")))
	b.joined(r.answer("b", b.c, req, answerLimit))
	sync := r.syncRequest(b)
	sync.SetVersion(r.highest(sync))
	b.c.send(usual(sync), sync.AppendTo(nil))
	r.also("leader syncs", r.syncRequest(a, a, b))
	r.answer("b has its share", b.c, sync, answerLimit)
	r.describe(r.name)
	r.also("b leaves", r.leaveRequest(b))
	r.also("a hears of it", r.beatRequest(a))
	r.also("b is gone", r.beatRequest(b))
	old := *a
	old.generation--
	r.also("an old generation", r.beatRequest(&old))
}

func joinStatic(r *run) {
	one, two := "one", "two"
	a := &member{group: r.name, instance: &one}
	a.joined(r.ask("first", r.joinRequest(a)))
	r.also("sync", r.syncRequest(a, a))
	r.describe(r.name)
	replaced := *a
	replaced.id = ""
	replaced.joined(r.ask("started anew", r.joinRequest(&replaced)))
	r.also("the new one syncs", r.syncRequest(&replaced))
	r.also("the old one beats", r.beatRequest(a))
	r.also("the old one syncs", r.syncRequest(a))
	r.ask("the old one joins", r.joinRequest(a))
	r.also("the new one beats", r.beatRequest(&replaced))
	other := &member{group: r.name, id: replaced.id, instance: &two}
	r.ask("its id, another name", r.joinRequest(other))
	r.also("beats with another name", r.beatRequest(other))
	dynamic := &member{group: r.name, id: replaced.id, generation: replaced.generation}
	r.also("beats without its name", r.beatRequest(dynamic))
	changed := replaced
	changed.id = ""
	changed.joined(r.ask("started with other protocols", r.joinRequest(&changed, "roundrobin", "range")))
	r.describe(r.name)
	named := &member{group: r.name, instance: &one}
	r.also("leaves by its name", r.leaveRequest(named))
	r.describe(r.name)
}

func syncErrors(r *run) {
	m := r.stable("")
	ask := func(label string, change func(*kmsg.SyncGroupRequest)) {
		req := r.syncRequest(m)
		typ, name := "consumer", "range"
		req.ProtocolType, req.Protocol = &typ, &name
		change(req)
		r.ask(label, req)
	}
	text := func(s string) *string { return &s }
	ask("right", func(*kmsg.SyncGroupRequest) {})
	ask("no protocol", func(req *kmsg.SyncGroupRequest) { req.ProtocolType, req.Protocol = nil, nil })
	ask("other type", func(req *kmsg.SyncGroupRequest) { req.ProtocolType = text("connect") })
	ask("other name", func(req *kmsg.SyncGroupRequest) { req.Protocol = text("sticky") })
	ask("generation", func(req *kmsg.SyncGroupRequest) { req.Generation++ })
	ask("generation -1", func(req *kmsg.SyncGroupRequest) { req.Generation = -1 })
	ask("member", func(req *kmsg.SyncGroupRequest) { req.MemberID = "nobody" })
	ask("no member", func(req *kmsg.SyncGroupRequest) { req.MemberID = "" })
	ask("group", func(req *kmsg.SyncGroupRequest) { req.Group += ".none" })
	ask("no group", func(req *kmsg.SyncGroupRequest) { req.Group = "" })
	ask("instance", func(req *kmsg.SyncGroupRequest) { req.InstanceID = text("nobody") })
	r.also("leaves", r.leaveRequest(m))
	ask("after it left", func(*kmsg.SyncGroupRequest) {})
	fresh := &member{group: r.name + ".fresh"}
	r.join(fresh, "range")
	r.ask("by the leader, for a stranger", r.syncRequest(fresh, &member{id: "stranger"}))
	r.describe(fresh.group)
}

func heartbeatErrors(r *run) {
	m := r.stable("")
	text := "nobody"
	ask := func(label string, change func(*kmsg.HeartbeatRequest)) {
		req := r.beatRequest(m)
		change(req)
		r.ask(label, req)
	}
	ask("right", func(*kmsg.HeartbeatRequest) {})
	ask("generation", func(req *kmsg.HeartbeatRequest) { req.Generation++ })
	ask("generation -1", func(req *kmsg.HeartbeatRequest) { req.Generation = -1 })
	ask("member", func(req *kmsg.HeartbeatRequest) { req.MemberID = text })
	ask("no member", func(req *kmsg.HeartbeatRequest) { req.MemberID = "" })
	ask("group", func(req *kmsg.HeartbeatRequest) { req.Group += ".none" })
	ask("no group", func(req *kmsg.HeartbeatRequest) { req.Group = "" })
	ask("instance", func(req *kmsg.HeartbeatRequest) { req.InstanceID = &text })
}

func leaveOne(r *run) {
	m := r.stable("")
	r.ask("unknown member", r.leaveRequest(&member{group: m.group, id: "nobody"}))
	r.ask("no member", r.leaveRequest(&member{group: m.group}))
	r.ask("unknown group", r.leaveRequest(&member{group: "no-such-group", id: m.id}))
	r.ask("no group", r.leaveRequest(&member{id: m.id}))
	r.ask("there", r.leaveRequest(m))
	r.ask("gone", r.leaveRequest(m))
	r.describe(m.group)
}

func leaveBatch(r *run) {
	one, none := "one", "none"
	a := &member{group: r.name, instance: &one}
	r.join(a)
	r.use(r.syncRequest(a, a))
	wrong := r.leaveRequest(&member{group: r.name, id: "other", instance: &one})
	r.ask("name of another id", wrong)
	batch := r.leaveRequest(&member{group: r.name, id: "nobody"})
	for _, m := range []*member{{instance: &none}, {instance: &one}} {
		leaving := kmsg.NewLeaveGroupRequestMember()
		why := "done"
		leaving.MemberID, leaving.InstanceID, leaving.Reason = m.id, m.instance, &why
		batch.Members = append(batch.Members, leaving)
	}
	r.ask("three, one of them there", batch)
	r.describe(r.name)
	empty := r.leaveRequest(a)
	empty.Members = nil
	r.ask("nobody", empty)
}

func describeGroups(r *run) {
	m := r.stable("")
	named := "one"
	static := &member{group: r.name + ".static", instance: &named}
	r.join(static)
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{m.group}
	r.ask("stable", req)
	req.Groups = []string{static.group}
	r.ask("static, not synced", req)
	req.Groups = []string{"no-such-group"}
	r.ask("unknown", req)
	req.Groups = []string{m.group, m.group, "no-such-group"}
	r.ask("twice", req)
	req.Groups = nil
	r.ask("nothing", req)
	req.Groups, req.IncludeAuthorizedOperations = []string{m.group, "no-such-group"}, true
	r.ask("operations", req)
	r.use(r.leaveRequest(m))
	req.Groups, req.IncludeAuthorizedOperations = []string{m.group}, false
	r.ask("empty", req)
}

func listGroups(r *run) {
	m := r.stable(".stable")
	left := r.stable(".left")
	r.use(r.leaveRequest(left))
	r.commit(r.name+".simple", r.topic("", 1))
	ask := func(label string, states, types []string) {
		req := kmsg.NewPtrListGroupsRequest()
		req.SetVersion(r.version)
		req.StatesFilter, req.TypesFilter = states, types
		c := r.connection()
		c.send(usual(req), req.AppendTo(nil))
		_, body, err := c.receive(answerLimit)
		must(err)
		resp, exact, err := decode(req, body)
		must(err)
		answered := resp.(*kmsg.ListGroupsResponse)
		var own []kmsg.ListGroupsResponseGroup
		for _, g := range answered.Groups {
			// Other cases come and go.
			if strings.HasPrefix(g.Group, r.name+".") {
				own = append(own, g)
			}
		}
		answered.Groups = own
		r.note(label, []any{r.seen.plain(answered), exact})
	}
	ask("all", nil, nil)
	ask("stable", []string{"Stable"}, nil)
	ask("lower case", []string{"stable", "EMPTY"}, nil)
	ask("unknown state", []string{"Sleeping"}, nil)
	ask("classic", nil, []string{"classic"})
	ask("Classic", nil, []string{"Classic"})
	ask("consumer", nil, []string{"consumer"})
	ask("unknown type", nil, []string{"other"})
	ask("both", []string{"Empty"}, []string{"classic"})
	_ = m
}

func deleteGroups(r *run) {
	m := r.stable(".stable")
	left := r.stable(".left")
	r.use(r.leaveRequest(left))
	topic := r.topic("", 1)
	r.commit(r.name+".simple", topic)
	req := kmsg.NewPtrDeleteGroupsRequest()
	req.Groups = []string{m.group, left.group, r.name + ".simple", "no-such-group"}
	r.ask("all kinds", req)
	r.ask("again", req)
	req.Groups = []string{"no-such-group", "no-such-group"}
	r.ask("twice", req)
	req.Groups = nil
	r.ask("nothing", req)
	r.also("its offsets", fetchOffsets(r.name+".simple", topic))
}

func findCoordinator(r *run) {
	ask := func(label string, kind int8, keys ...string) {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorType, req.CoordinatorKeys = kind, keys
		if len(keys) > 0 {
			req.CoordinatorKey = keys[0]
		}
		r.ask(label, req)
	}
	ask("group", 0, r.name)
	ask("no group", 0, "")
	ask("unknown kind", 7, r.name)
	ask("negative kind", -1, r.name)
	ask("several", 0, r.name, "other", r.name)
	ask("one of several without a name", 0, r.name, "")
	ask("none", 0)
}
