// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What trees do to the bridge: BPDUs leave, ports change their states, and
 * addresses are forgotten, those of many trees in one pass over the table.
 */
#include <string.h>

#include "switch/mcast.h"
#include "switch/stp_impl.h"

/* To look at one entry of the address table is paid for by that much time, and
 * a tenth of a second may be owed: a small table is searched as often as trees
 * want it, 100,000 addresses fifty times in a second. What has to wait is done
 * in one pass. */
#define FLUSH_PRICE UINT64_C(128)
#define FLUSH_AHEAD UINT64_C(100000000)

void stp_tell(const struct stp_vlan *v, enum stp_event_type type, int port,
	      bool on)
{
	const struct stp_event ev = {
		.type = type, .vlan = v->vid, .port = port, .on = on
	};

	v->stp->ops->event(v->stp->ctx, &ev);
}

static void tell_mcast_of(const struct stp *s, unsigned int vid, int port)
{
	uint64_t now = stp_time(s);

	if (port < 0)
		mcast_topology_change(s->br->mcast, vid, now);
	else
		mcast_port_member(s->br->mcast, vid, (unsigned int)port, true,
				  now);
}

/* VLANs that are not defined are in VLAN 0's tree. */
void stp_tell_mcast(const struct stp_vlan *v, int port)
{
	const struct stp *s = v->stp;
	int vid = -1;

	if (!s->br->mcast)
		return;
	tell_mcast_of(s, v->vid, port);
	while (!v->vid && (vid = mcast_vlan_next(s->br->mcast,
						 (unsigned int)vid + 1)) >= 0)
		if (!s->br->vlans[vid])
			tell_mcast_of(s, (unsigned int)vid, port);
}

static void transmit(void *ctx, unsigned int port, const uint8_t *frame,
		     size_t len)
{
	struct stp_vlan *v = ctx;

	/* What did not leave is sent again with the next hello. */
	(void)bridge_originate(v->stp->br, port, v->vid, frame, len);
}

static void set_state(void *ctx, unsigned int port, enum rstp_state state)
{
	static const enum bridge_state states[] = {
		[RSTP_DISCARDING] = BRIDGE_DISCARDING,
		[RSTP_LEARNING] = BRIDGE_LEARNING,
		[RSTP_FORWARDING] = BRIDGE_FORWARDING,
	};
	const struct stp_vlan *v = ctx;
	const struct stp_event ev = { .type = STP_STATE,
				      .vlan = v->vid,
				      .port = (int)port,
				      .state = states[state] };

	static_assert(ARRAY_SIZE(states) == RSTP_N_STATES,
		      "a state is missing");
	bridge_set_state(v->stp->br, v->vid, port, states[state]);
	if (state == RSTP_FORWARDING)
		stp_tell_mcast(v, (int)port);
	v->stp->ops->event(v->stp->ctx, &ev);
}

static void flush(void *ctx, unsigned int port)
{
	struct stp_vlan *v = ctx;
	struct stp *s = v->stp;

	if (bits_test(v->flush, port))
		return;
	if (s->br->mcast && !bits_any(v->flush, v->words))
		stp_tell_mcast(v, -1);
	bits_set(v->flush, port);
	if (!s->n_flush++) {
		s->flush_vlan = v;
		s->flush_port = port;
	}
}

/* A guarded port is disabled in all its VLANs, which is told once, in the one
 * where the BPDU came. It is forgiven in all of them at once, too: its link or
 * its guard went. */
static void guard_event(const struct stp_vlan *v, const struct rstp_event *ev)
{
	struct stp *s = v->stp;
	unsigned int port = (unsigned int)ev->port;

	if (bits_test(s->violated, port) == ev->on)
		return;
	if (ev->on)
		bits_set(s->violated, port);
	else
		bits_clear(s->violated, port);
	s->spread = s->spread || ev->on;
	stp_tell(v, STP_BPDU_GUARD, ev->port, ev->on);
}

static void event(void *ctx, const struct rstp_event *ev)
{
	const struct stp_vlan *v = ctx;

	switch (ev->type) {
	case RSTP_NEW_ROOT:
		stp_tell(v, STP_ROOT, ev->port, true);
		break;
	case RSTP_NEW_PEER:
		stp_tell(v, STP_PEER, ev->port, true);
		break;
	case RSTP_BPDU_GUARD:
		guard_event(v, ev);
		break;
	case RSTP_ROOT_GUARD:
		stp_tell(v, STP_ROOT_GUARD, ev->port, ev->on);
		break;
	case RSTP_LOOPED:
		stp_tell(v, STP_LOOPED, ev->port, ev->on);
		break;
	case RSTP_TOPOLOGY_CHANGE:
		stp_tell_mcast(v, -1);
		break;
	case RSTP_N_EVENTS:
		break;
	}
}

const struct rstp_ops stp_rstp_ops = { transmit, set_state, flush, event };

/* ---- addresses that are to be forgotten ---- */

/* VLANs that are not defined are in the tree of VLAN 0. */
static bool to_be_flushed(void *ctx, unsigned int vid, unsigned int port)
{
	const struct stp *s = ctx;
	const struct stp_vlan *v = s->br->vlans[vid] ? s->vlans[vid]
						     : s->vlans[0];

	return v && port / 64 < v->words && bits_test(v->flush, port);
}

/* A way through the addresses of one port is enough. */
static bool is_one_flush(const struct stp *s)
{
	return s->n_flush == 1 && (s->flush_vlan->vid || !s->br->n_vlans);
}

void stp_flush_now(struct stp *s)
{
	struct stp_vlan *v = s->flush_vlan;

	if (!s->n_flush)
		return;
	if (is_one_flush(s)) {
		mactab_flush(s->br->macs, (int)s->flush_port,
			     v->vid ? (int)v->vid : -1);
		bits_clear(v->flush, s->flush_port);
		s->n_flush = 0;
		return;
	}
	mactab_flush_if(s->br->macs, to_be_flushed, s);
	for (unsigned int vid = 0; vid < N_VLANS; vid++) {
		v = s->vlans[vid];
		if (v && v->words)
			memset(v->flush, 0, v->words * sizeof(*v->flush));
	}
	s->n_flush = 0;
}

/* What BPDUs ask for in a hundred VLANs, again and again, would keep the
 * switch busy with a large table and nothing else. */
void stp_settle(struct stp *s)
{
	uint64_t now;
	size_t looks;

	if (!s->n_flush)
		return;
	now = stp_time(s);
	if (s->flush_paid < now)
		s->flush_paid = now;
	if (s->flush_paid > now + FLUSH_AHEAD) {
		s->flush_at = s->flush_paid - FLUSH_AHEAD;
		return;
	}
	looks = is_one_flush(s) ? mactab_count(s->br->macs, s->flush_port)
				: mactab_slots(s->br->macs);
	s->flush_paid += looks * FLUSH_PRICE;
	stp_flush_now(s);
}
