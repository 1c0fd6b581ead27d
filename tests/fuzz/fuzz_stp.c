/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The spanning trees of a bridge to which anything happens in any order: ports
 * and VLANs come and go, links flap, ports are shared, it becomes a hub,
 * settings change, BPDUs of any bytes arrive, time passes. After each step
 * bridge and trees must agree: each VLAN has a tree of just its members while
 * spanning tree is on, links are those of the endpoints, settings those that
 * were made, and a port is in a flood set only if its tree lets it forward.
 *
 * An input is a list of steps: a byte says which, bytes after it what with.
 */
#include "switch/stp.h"

#include <string.h>

#include "../fuzz/input.h"

#define SEC UINT64_C(1000000000)
#define PORTS 6
#define PORTS_MAX 130
#define SETS 2 /* endpoints of a port */
#define N_VLANS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned int vids[N_VLANS] = { 0, 1, 64, BRIDGE_VLAN_LAST };

struct fake {
	struct endpoint ep;
	bool on;
};

static struct bridge *br;
static struct stp *stp;
static uint64_t now;
static struct fake fakes[SETS][PORTS + 1];
static bool telling; /* an event: it may look only */
static uint8_t last_bpdu[64];
static size_t last_len;

static int fake_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	for (int i = 0; i < n; i++) {
		const struct frame *f = tx[i].frame;

		if (!f->own)
			continue;
		must(f->len == 53 || f->len == 52 || f->len == 21);
		must(vlan_is_member(br->vlans[frame_vid(f)], ep->port->id));
		must(tx[i].tagged == (ep->port->pvid != frame_vid(f)));
		memcpy(last_bpdu, f->data, f->len);
		last_len = f->len;
	}
	return n;
}

static void fake_pause(struct endpoint *ep, bool on)
{
}

static void fake_close(struct endpoint *ep)
{
	container_of(ep, struct fake, ep)->on = false;
}

static const struct transport tr_fake = { "fake", "fake", fake_send, fake_pause,
					  fake_close };

static uint64_t get_now(void *ctx)
{
	return now;
}

static void on_event(void *ctx, const struct stp_event *ev)
{
	struct rstp_port_info in;

	must(!telling && ev->type != STP_NO_MEMORY && br->vlans[ev->vlan]);
	telling = true;
	if (ev->port >= 0)
		must(br->ports[ev->port] != NULL);
	if (ev->port >= 0 && stp_tree(stp, ev->vlan))
		(void)rstp_port_get_info(stp_tree(stp, ev->vlan),
					 (unsigned int)ev->port, &in);
	telling = false;
}

static const struct stp_ops ops = { get_now, on_event };

/* ---- what must hold ---- */

static void check_port(unsigned int vid, const struct port *p)
{
	const struct rstp *tree = stp_tree(stp, vid);
	struct stp_member_config m = stp_member_get(stp, vid, p->id);
	struct stp_port_config cf = stp_port_get(stp, p->id);
	struct rstp_port_info in;
	bool member = vlan_is_member(br->vlans[vid], p->id);
	bool forwards = bridge_get_state(br, vid, p->id) == BRIDGE_FORWARDING;

	must(!rstp_port_get_info(tree, p->id, &in) == member);
	must(bits_test(br->vlans[vid]->flood, p->id) ==
	     (member && forwards && port_is_active(p)));
	if (!member) {
		must(bridge_get_state(br, vid, p->id) == BRIDGE_DISCARDING);
		return;
	}
	must(in.link == port_has_link(p));
	must((in.state == RSTP_FORWARDING) == forwards);
	must(!in.violated || (cf.bpdu_guard && in.state == RSTP_DISCARDING));
	must(in.link || in.state == RSTP_DISCARDING);
	must(in.config.admin_edge == m.edge &&
	     in.config.priority == m.priority &&
	     in.config.auto_edge == cf.auto_edge &&
	     in.config.bpdu_guard == cf.bpdu_guard &&
	     in.config.root_guard == cf.root_guard);
	if (port_is_active(p))
		must(in.config.point_to_point ==
		     (cf.p2p == STP_P2P_YES ||
		      (cf.p2p == STP_P2P_AUTO &&
		       p->endpoints.next == p->endpoints.prev)));
}

static void check(void)
{
	must(!stp_is_on(stp) || !br->hub);
	for (unsigned int i = 0; i < N_VLANS; i++) {
		const struct vlan *v = br->vlans[vids[i]];
		struct rstp_info in;

		if (!v) {
			must(!stp_tree(stp, vids[i]));
			continue;
		}
		must(!stp_tree(stp, vids[i]) == !stp_is_on(stp));
		must(v->gated == stp_is_on(stp));
		if (!stp_is_on(stp))
			continue;
		rstp_get_info(stp_tree(stp, vids[i]), &in);
		must(in.bridge == stp_bridge_id(stp, vids[i]));
		for (unsigned int j = 0; j <= br->numports; j++)
			if (br->ports[j])
				check_port(vids[i], br->ports[j]);
	}
	must(stp_is_on(stp) || !stp_next(stp));
}

/* ---- steps ---- */

static unsigned int some_port(struct input *in)
{
	return take(in) % (PORTS + 1);
}

static unsigned int some_vlan(struct input *in)
{
	return vids[take(in) % N_VLANS];
}

static void plug(struct input *in)
{
	unsigned int port = some_port(in);
	struct fake *f = &fakes[take(in) % SETS][port];

	if (f->on) {
		bridge_detach(&f->ep);
		return;
	}
	endpoint_init(&f->ep, &tr_fake, port, 1000, "fake");
	f->ep.no_link = take(in) & 1;
	if (port <= br->numports)
		f->on = !bridge_attach(br, port, &f->ep);
}

static void flip_link(struct input *in)
{
	struct fake *f = &fakes[take(in) % SETS][some_port(in)];

	if (f->on)
		bridge_set_link(&f->ep, f->ep.no_link);
}

static void change_tables(struct input *in)
{
	unsigned int port = some_port(in), vid = some_vlan(in);

	switch (take(in) % 10) {
	case 0:
		bridge_port_create(br, port);
		break;
	case 1:
		bridge_port_remove(br, port);
		break;
	case 2:
	case 3:
		bridge_vlan_create(br, vid);
		break;
	case 4:
		bridge_vlan_remove(br, vid);
		break;
	case 5:
	case 6:
		bridge_vlan_add_port(br, vid, port);
		break;
	case 7:
		bridge_vlan_del_port(br, vid, port);
		break;
	case 8:
		bridge_port_set_vlan(br, port, port % 5 ? vid : VLAN_NONE);
		break;
	default:
		bridge_set_numports(br, 1 + take(in) % PORTS_MAX);
		break;
	}
}

static void set_member(struct input *in)
{
	struct stp_member_config cf = { 1 + take32(in) % RSTP_COST_MAX, 0,
					(uint8_t)(take(in) & 0xf0),
					take(in) & 1 };
	unsigned int vid = some_vlan(in), port = take(in) % (PORTS_MAX + 1);
	int rc;

	if (take(in) % 3 == 0) {
		cf.bonus = (int32_t)take32(in);
		rc = stp_set_bonus(stp, vid, port, cf.bonus);
		must(rc || stp_bonus_port(stp, vid) == (int)port);
	} else {
		rc = stp_member_set(stp, vid, port, &cf);
		if (!rc)
			must(stp_member_get(stp, vid, port).cost == cf.cost);
	}
	must(!rc == (br->vlans[vid] && port <= br->numports));
}

static void set_port(struct input *in)
{
	unsigned int bits = take(in), port = take(in) % (PORTS_MAX + 1);
	struct stp_port_config cf = { bits & 1, bits >> 1 & 1, bits >> 2 & 1,
				      (bits >> 3) % STP_P2P_N_MODES };

	must(!stp_port_set(stp, port, &cf) == (port <= br->numports));
}

static void set_switch(struct input *in)
{
	struct rstp_params pa = stp_params(stp);

	switch (take(in) % 5) {
	case 0:
		stp_set_priority(stp, (uint16_t)take16(in));
		break;
	case 1:
		stp_vlan_set_priority(stp, some_vlan(in), (uint16_t)take16(in));
		break;
	case 2:
		stp_set_mac(stp, take32(in));
		break;
	case 3:
		pa.hello_s = (uint8_t)(take(in) % 12);
		pa.max_age_s = (uint8_t)(take(in) % 42);
		pa.forward_delay_s = (uint8_t)(take(in) % 32);
		pa.stp = take(in) & 1;
		must(!stp_set_params(stp, &pa) == rstp_params_valid(&pa));
		break;
	default:
		stp_mcheck(stp, (int)take(in) % PORTS - 1);
		break;
	}
}

/* Any bytes; or a BPDU, perhaps what the bridge said last, with some changed.
 */
static void receive(struct input *in)
{
	struct fake *f = &fakes[take(in) % SETS][some_port(in)];
	unsigned int how = take(in);
	struct frame *fr;
	uint8_t *p;
	size_t len = 60;

	if (!f->on)
		return;
	fr = frame_new(br->pool);
	p = fr->data;
	memset(p, 0, 80);
	if (how & 1) {
		unsigned int vid = some_vlan(in);

		p[12] = 0x81;
		p[14] = (uint8_t)(vid >> 8);
		p[15] = (uint8_t)vid;
		memcpy(p + 16, last_bpdu + 12, 52);
		memcpy(p, last_bpdu, 12);
		len = 64;
	} else {
		memcpy(p, last_bpdu, sizeof(last_bpdu));
		len = last_len > 14 ? last_len : 60;
	}
	for (unsigned int n = how >> 1 & 7; n; n--)
		p[take(in) % len] = (uint8_t)take(in);
	if (how & 0x80) {
		memset(p, 0, 6);
		p[0] = 0x01;
		p[1] = 0x80;
		p[2] = 0xc2;
	}
	fr->len = (uint32_t)len;
	port_rx_take(&f->ep, &fr, 1, now);
}

static void wait(struct input *in)
{
	uint64_t next = stp_next(stp);

	switch (take(in) % 4) {
	case 0:
		now += take16(in) * (SEC / 1000);
		break;
	case 1:
		now += take(in) * SEC;
		break;
	default:
		now = next > now ? next : now;
		break;
	}
	if (stp_is_on(stp))
		stp_tick(stp, now);
	next = stp_next(stp);
	must(!next || next > now);
}

static void turn(bool on)
{
	must(!stp_set_on(stp, on) == !(on && br->hub));
}

static void step(struct input *in)
{
	switch (take(in) % 12) {
	case 0:
	case 1:
		plug(in);
		break;
	case 2:
		flip_link(in);
		break;
	case 3:
	case 4:
		change_tables(in);
		break;
	case 5:
		set_member(in);
		break;
	case 6:
		set_port(in);
		break;
	case 7:
		set_switch(in);
		break;
	case 8:
		if (take(in) % 4 == 0)
			bridge_set_hub(br, take(in) & 1);
		else
			turn(take(in) & 3);
		break;
	case 9:
	case 10:
		receive(in);
		break;
	default:
		wait(in);
		break;
	}
}

static void end(void)
{
	for (unsigned int i = 0; i < SETS; i++)
		for (unsigned int j = 0; j <= PORTS; j++)
			if (fakes[i][j].on)
				bridge_detach(&fakes[i][j].ep);
	stp_free(stp);
	must(list_empty(&br->listeners) && list_empty(&br->protos));
	bridge_flush(br);
	must(frame_pool_used(br->pool) == 0);
	bridge_free(br);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bridge_config cf = { .numports = PORTS,
					  .hash_size = 16,
					  .pool_frames = 1024 };
	struct input in = { data, size };

	now = 1000 * SEC;
	last_len = 0;
	memset(last_bpdu, 0, sizeof(last_bpdu));
	br = bridge_new(&cf);
	stp = stp_new(br, &ops, NULL);
	for (int i = 0; in.left && i < 500; i++) {
		step(&in);
		bridge_flush(br);
		check();
	}
	end();
	return 0;
}
