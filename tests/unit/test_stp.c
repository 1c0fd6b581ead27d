// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The spanning trees of a bridge with fake transports and a clock of the
 * test's own: what leaves a port is kept, what others would send is made here.
 */
#include "switch/stp.h"

#include <errno.h>
#include <string.h>

#include "../unit/test.h"

#define SEC UINT64_C(1000000000)
#define N 8
#define KEPT 4096
#define MAC UINT64_C(0x00ff01020304)
#define OTHER UINT64_C(0x00ff0000000a)
#define A UINT64_C(0x020000000001)
#define B UINT64_C(0x020000000002)
#define ALL UINT64_C(0xffffffffffff)

struct fake {
	struct endpoint ep;
	int frames; /* that are no BPDUs */
	int bpdus;
	size_t len; /* of the last one */
	uint8_t last[64];
	bool on;
};

static struct bridge *br;
static struct stp *stp;
static uint64_t now;
static struct fake fakes[2][N + 1]; /* two endpoints for each port */
static struct stp_event told[KEPT];
static unsigned int n_told;

static int fake_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	struct fake *f = container_of(ep, struct fake, ep);

	for (int i = 0; i < n; i++) {
		uint8_t bytes[ETHER_MAX_LEN + 8];
		struct iovec iov[FRAME_IOV];
		int k = frame_iov(tx[i].frame, tx[i].tagged, iov);
		size_t len = 0;

		for (int j = 0; j < k; j++) {
			memcpy(bytes + len, iov[j].iov_base, iov[j].iov_len);
			len += iov[j].iov_len;
		}
		if (ether_addr(bytes) != RSTP_BPDU_ADDR) {
			f->frames++;
			continue;
		}
		f->bpdus++;
		f->len = len;
		memcpy(f->last, bytes, size_min(len, sizeof(f->last)));
	}
	return n;
}

static void fake_close(struct endpoint *ep)
{
	container_of(ep, struct fake, ep)->on = false;
}

static void fake_pause(struct endpoint *ep, bool on)
{
}

static const struct transport tr_fake = { "fake", "fake", fake_send, fake_pause,
					  fake_close };

static uint64_t get_now(void *ctx)
{
	return now;
}

static void note(void *ctx, const struct stp_event *ev)
{
	if (n_told < KEPT)
		told[n_told++] = *ev;
}

static const struct stp_ops ops = { get_now, note };

/* The last event of that type, or NULL. */
static const struct stp_event *last_told(enum stp_event_type type)
{
	for (unsigned int i = n_told; i > 0; i--)
		if (told[i - 1].type == type)
			return &told[i - 1];
	return NULL;
}

static unsigned int count_told(enum stp_event_type type)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < n_told; i++)
		n += told[i].type == type;
	return n;
}

static void setup(void)
{
	const struct bridge_config cf = {
		.numports = N, .hash_size = 16, .secret = 1, .pool_frames = 4096
	};

	now = 1000 * SEC;
	n_told = 0;
	br = bridge_new(&cf);
	stp = stp_new(br, &ops, NULL);
	stp_set_mac(stp, MAC);
}

static void flush(void)
{
	bridge_flush(br);
}

static void unplug_from(int set, unsigned int port)
{
	if (fakes[set][port].on)
		bridge_detach(&fakes[set][port].ep);
	flush();
}

static void unplug(unsigned int port)
{
	unplug_from(0, port);
}

static void teardown(void)
{
	for (unsigned int i = 0; i <= N; i++) {
		unplug_from(0, i);
		unplug_from(1, i);
	}
	stp_free(stp);
	CHECK(br->events == 0 && list_empty(&br->protos));
	CHECK(frame_pool_used(br->pool) == 0);
	bridge_free(br);
}

static struct fake *plug_as(int set, unsigned int port, bool link)
{
	struct fake *f = &fakes[set][port];

	*f = (struct fake){ .on = true };
	endpoint_init(&f->ep, &tr_fake, port, 1000, "fake");
	f->ep.no_link = !link;
	CHECK(bridge_attach(br, port, &f->ep) == 0);
	flush();
	return f;
}

static struct fake *plug(unsigned int port)
{
	return plug_as(0, port, true);
}

static void set_edge(unsigned int vid, unsigned int port)
{
	struct stp_member_config cf = stp_member_get(stp, vid, port);

	cf.edge = true;
	CHECK(stp_member_set(stp, vid, port, &cf) == 0);
}

/* Ticks as often as is asked for. */
static void pass(uint64_t ns)
{
	uint64_t end = now + ns;

	for (int i = 0; i < 100000; i++) {
		uint64_t next = stp_next(stp);

		if (!next || next > end)
			break;
		now = next > now ? next : now;
		stp_tick(stp, now);
		flush();
	}
	now = end;
}

static void put_addr(uint8_t *p, uint64_t addr)
{
	for (int i = 5; i >= 0; i--, addr >>= 8)
		p[i] = addr & 0xff;
}

/* @tag < 0: none */
static void rx_bytes(unsigned int port, const uint8_t *bytes, size_t len,
		     int tag)
{
	struct frame *f = frame_new(br->pool);
	uint8_t *p = f->data;

	memcpy(p, bytes, 12);
	p += 12;
	if (tag >= 0) {
		*p++ = 0x81;
		*p++ = 0;
		*p++ = (uint8_t)(tag >> 8);
		*p++ = (uint8_t)tag;
	}
	memcpy(p, bytes + 12, len - 12);
	f->len = (uint32_t)(len + (tag >= 0 ? 4 : 0));
	port_rx_take(&fakes[0][port].ep, &f, 1, now);
	flush();
}

static void rx(unsigned int port, uint64_t dst, uint64_t src, int tag)
{
	uint8_t bytes[100] = { 0 };

	put_addr(bytes, dst);
	put_addr(bytes + 6, src);
	bytes[12] = 0x88;
	bytes[13] = 0xb5;
	rx_bytes(port, bytes, sizeof(bytes), tag);
}

static void rx_bpdu(unsigned int port, int tag, const struct rstp_bpdu *b)
{
	uint8_t bytes[RSTP_FRAME_MAX];

	rx_bytes(port, bytes, rstp_bpdu_write(b, OTHER, bytes), tag);
}

/* From a neighbour that is the root, with the priority @prio, designated and
 * forwarding. */
static struct rstp_bpdu root_bpdu(unsigned int prio)
{
	uint64_t id = (uint64_t)prio << 48 | OTHER;

	return (struct rstp_bpdu){
		.kind = RSTP_RST,
		.role = RSTP_DESIGNATED,
		.flags = RSTP_LEARNING_FLAG | RSTP_FORWARDING_FLAG,
		.root = id,
		.bridge = id,
		.port = 0x8001,
		.times = { 0, 20 * 256, 2 * 256, 15 * 256 },
	};
}

static void hear_root(unsigned int port, int tag, unsigned int prio)
{
	struct rstp_bpdu b = root_bpdu(prio);

	rx_bpdu(port, tag, &b);
}

static enum bridge_state state(unsigned int vid, unsigned int port)
{
	return bridge_get_state(br, vid, port);
}

static struct rstp_port_info port_info(unsigned int vid, unsigned int port)
{
	struct rstp_port_info in = { .number = 0xffff };

	if (stp_tree(stp, vid))
		rstp_port_get_info(stp_tree(stp, vid), port, &in);
	return in;
}

static struct rstp_info info(unsigned int vid)
{
	struct rstp_info in;

	rstp_get_info(stp_tree(stp, vid), &in);
	return in;
}

static int known(unsigned int vid, uint64_t addr)
{
	return mactab_find(br->macs, mactab_key(vid, addr),
			   (uint32_t)(now / SEC));
}

/* In VLAN 0: the root is behind port 1, bridges that agree to that behind 2
 * and 3. */
static void make_tree(void)
{
	hear_root(1, -1, 0x1000);
	for (unsigned int i = 2; i <= 3; i++) {
		struct rstp_bpdu b = root_bpdu(0xf000);

		b.role = RSTP_ROOT;
		b.flags |= RSTP_AGREEMENT;
		b.root = info(0).root;
		b.cost = STP_COST_DEFAULT + 1;
		b.port = (uint16_t)(0x8000 + i);
		rx_bpdu((unsigned int)i, -1, &b);
	}
	for (unsigned int i = 1; i <= 3; i++)
		CHECK(state(0, i) == BRIDGE_FORWARDING);
	/* All that happened has been told. */
	for (int i = 0; i < 3; i++) {
		pass(2 * SEC);
		hear_root(1, -1, 0x1000);
	}
}

/* From the root's side. */
static void hear_change(void)
{
	struct rstp_bpdu b = root_bpdu(0x1000);

	b.flags |= RSTP_TC;
	rx_bpdu(1, -1, &b);
}

/* ---- behaviours ---- */

static void off_it_does_nothing(void)
{
	struct fake *f;

	setup();
	f = plug(1);
	plug(2);
	CHECK(!stp_is_on(stp) && !stp_next(stp) && !stp_tree(stp, 0));
	CHECK(state(0, 1) == BRIDGE_FORWARDING);
	pass(100 * SEC);
	CHECK(!f->bpdus && !n_told);
	hear_root(2, -1, 1);
	CHECK(f->bpdus == 1); /* a frame like others */
	teardown();
}

static void ports_discard_edges_forward_at_once(void)
{
	setup();
	set_edge(0, 2);
	CHECK(stp_set_on(stp, true) == 0);
	plug(1);
	plug(2);
	CHECK(state(0, 1) == BRIDGE_DISCARDING);
	CHECK(state(0, 2) == BRIDGE_FORWARDING);
	rx(1, ALL, A, -1);
	CHECK(!fakes[0][2].frames && br->ports[1]->drops[DROP_STP] == 1);
	CHECK(known(0, A) < 0);
	pass(4 * SEC);
	CHECK(state(0, 1) == BRIDGE_FORWARDING);
	rx(1, ALL, A, -1);
	CHECK(fakes[0][2].frames == 1 && known(0, A) == 1);
	teardown();
}

static void learning_ports_learn_and_drop(void)
{
	struct rstp_params pa = RSTP_PARAMS_DEFAULT;
	struct stp_port_config cf = { .auto_edge = false };

	setup();
	pa.stp = true;
	CHECK(stp_set_params(stp, &pa) == 0);
	CHECK(stp_port_set(stp, 1, &cf) == 0);
	set_edge(0, 2);
	stp_set_on(stp, true);
	plug(1);
	plug(2);
	pass(20 * SEC);
	CHECK(state(0, 1) == BRIDGE_LEARNING);
	rx(1, ALL, A, -1);
	CHECK(!fakes[0][2].frames && known(0, A) == 1);
	CHECK(br->ports[1]->drops[DROP_STP] == 1);
	pass(15 * SEC);
	CHECK(state(0, 1) == BRIDGE_FORWARDING);
	CHECK(fakes[0][1].len == 52); /* a Configuration BPDU */
	teardown();
}

static void bpdus_have_the_form_of_their_vlan(void)
{
	struct fake *f;

	setup();
	bridge_vlan_create(br, 5);
	stp_set_on(stp, true);
	f = plug(1);
	CHECK(f->bpdus == 1 && f->len == 53 && f->last[13] == 39);
	bridge_vlan_add_port(br, 5, 1);
	flush();
	CHECK(f->bpdus == 2 && f->len == 57);
	CHECK(f->last[12] == 0x81 && f->last[13] == 0 && f->last[14] == 0 &&
	      f->last[15] == 5);
	bridge_port_set_vlan(br, 1, 5);
	now += SEC;
	stp_set_priority(stp, 1);
	flush();
	CHECK(f->len == 53 && f->bpdus >= 3);
	teardown();
}

static void a_better_root_is_followed(void)
{
	const struct stp_event *ev;

	setup();
	stp_set_on(stp, true);
	plug(1);
	plug(2);
	CHECK(info(0).root == (UINT64_C(0x8000) << 48 | MAC));
	hear_root(1, -1, 0x1000);
	CHECK(info(0).root == (UINT64_C(0x1000) << 48 | OTHER));
	CHECK(info(0).root_port == 1 && info(0).root_cost == STP_COST_DEFAULT);
	ev = last_told(STP_ROOT);
	CHECK(ev && ev->port == 1 && ev->vlan == 0);
	ev = last_told(STP_HEARD);
	CHECK(ev && ev->port == 1 && ev->on);
	CHECK(state(0, 1) == BRIDGE_FORWARDING);
	CHECK(!fakes[0][2].frames); /* it was for the switch only */
	unplug(1);
	ev = last_told(STP_HEARD);
	CHECK(ev && ev->port == 1 && !ev->on);
	CHECK(info(0).root == (UINT64_C(0x8000) << 48 | MAC));
	CHECK(state(0, 1) == BRIDGE_DISCARDING);
	teardown();
}

static void each_vlan_has_its_tree(void)
{
	setup();
	stp_set_on(stp, true);
	plug(1);
	plug(2);
	bridge_vlan_create(br, 5);
	CHECK(stp_tree(stp, 5) && info(5).n_ports == 0);
	bridge_vlan_add_port(br, 5, 1);
	bridge_vlan_add_port(br, 5, 2);
	CHECK(info(5).n_ports == 2 && port_info(5, 1).link);
	hear_root(1, -1, 0x1000);
	hear_root(2, 5, 0x2000);
	CHECK(info(0).root_port == 1 && info(5).root_port == 2);
	CHECK(stp_vlan_set_priority(stp, 5, 0x100) == 0);
	CHECK(info(5).root_port == -1 && info(0).root_port == 1);
	CHECK(stp_bridge_id(stp, 5) == (UINT64_C(0x100) << 48 | MAC));
	bridge_vlan_del_port(br, 5, 1);
	CHECK(info(5).n_ports == 1 && state(5, 1) == BRIDGE_DISCARDING);
	bridge_port_set_vlan(br, 2, 5);
	CHECK(info(5).n_ports == 1 && info(0).n_ports == 1);
	bridge_port_set_vlan(br, 2, 0);
	CHECK(info(5).n_ports == 0 && info(0).n_ports == 2);
	CHECK(bridge_vlan_remove(br, 5) == 0);
	CHECK(!stp_tree(stp, 5));
	pass(10 * SEC);
	bridge_vlan_create(br, 5);
	CHECK(stp_vlan_priority(stp, 5) == STP_PRIORITY_DEFAULT);
	teardown();
}

static void vlans_that_are_not_defined_follow_vlan_0(void)
{
	setup();
	stp_set_on(stp, true);
	plug(1);
	plug(2);
	set_edge(0, 2);
	rx(1, ALL, A, 77);
	CHECK(!fakes[0][2].frames);
	set_edge(0, 1);
	rx(1, ALL, A, 77);
	rx(1, ALL, A, -1);
	CHECK(fakes[0][2].frames == 2);
	hear_root(1, 77, 0x1000);
	CHECK(fakes[0][2].bpdus && info(0).root_port == -1);
	CHECK(fakes[0][2].len == 64); /* tagged, padded like any frame */
	teardown();
}

static void a_topology_change_forgets_that_vlan_on_other_ports(void)
{
	setup();
	bridge_vlan_create(br, 5);
	for (unsigned int i = 1; i <= 3; i++) {
		plug(i);
		bridge_vlan_add_port(br, 5, i);
		set_edge(5, i);
	}
	stp_set_on(stp, true);
	make_tree();
	for (unsigned int i = 1; i <= 3; i++) {
		rx(i, ALL, A + i, -1);
		rx(i, ALL, A + i, 5);
		CHECK(known(0, A + i) == (int)i && known(5, A + i) == (int)i);
	}
	hear_change();
	CHECK(known(0, A + 1) == 1);
	CHECK(known(0, A + 2) < 0 && known(0, A + 3) < 0);
	for (unsigned int i = 1; i <= 3; i++)
		CHECK(known(5, A + i) == (int)i);
	teardown();
}

static void it_forgets_vlans_that_are_not_defined(void)
{
	for (int n = 0; n < 2; n++) {
		setup();
		bridge_set_vlan_mode(br, BRIDGE_VLAN_TRANSPARENT);
		if (n)
			bridge_vlan_create(br, 5);
		for (unsigned int i = 1; i <= 3; i++)
			plug(i);
		stp_set_on(stp, true);
		make_tree();
		unplug(3); /* one port, or several: two ways */
		for (unsigned int i = 1; i <= 2; i++)
			rx(i, ALL, A + i, 77);
		CHECK(known(77, A + 1) == 1 && known(77, A + 2) == 2);
		hear_change();
		CHECK(known(77, A + 1) == 1 && known(77, A + 2) < 0);
		teardown();
	}
}

/* Whose neighbour changes its mind in many VLANs keeps nobody from work: the
 * table is searched a few times at once, and then now and then. */
static void many_topology_changes_at_once_are_one(void)
{
	const struct rstp_bpdu tcn = { .kind = RSTP_TCN };
	unsigned int moved;

	setup();
	stp_set_on(stp, true);
	for (unsigned int i = 1; i <= 4; i++)
		plug(i);
	set_edge(0, 4);
	for (uint64_t i = 0; i < 20000; i++)
		rx(4, ALL, A + 2 * i, -1);
	for (unsigned int vid = 1; vid <= 50; vid++) {
		CHECK(bridge_vlan_create(br, vid) == 0);
		for (unsigned int i = 1; i <= 3; i++)
			CHECK(bridge_vlan_add_port(br, vid, i) == 0);
	}
	for (unsigned int i = 1; i <= 3; i++) {
		struct stp_port_config cf = stp_port_get(stp, i);

		cf.auto_edge = false;
		CHECK(stp_port_set(stp, i, &cf) == 0);
	}
	pass(40 * SEC);
	for (unsigned int vid = 1; vid <= 50; vid++)
		rx(1, ALL, B, (int)vid);
	moved = 0;
	for (unsigned int vid = 1; vid <= 50; vid++) {
		CHECK(known(vid, B) == 1);
		rx_bpdu(2, (int)vid, &tcn);
		moved += known(vid, B) < 0;
	}
	CHECK(moved >= 5 && moved < 50);
	CHECK(stp_next(stp) > now && stp_next(stp) < now + SEC / 20);
	pass(SEC / 20);
	for (unsigned int vid = 1; vid <= 50; vid++)
		CHECK(known(vid, B) < 0);

	/* What waits does not wait for VLANs that are gone. */
	pass(SEC);
	for (unsigned int vid = 1; vid <= 50; vid++) {
		rx(1, ALL, B, (int)vid);
		rx_bpdu(2, (int)vid, &tcn);
	}
	CHECK(known(50, B) == 1);
	for (unsigned int vid = 1; vid <= 50; vid++) {
		for (unsigned int i = 1; i <= 3; i++)
			CHECK(bridge_vlan_del_port(br, vid, i) == 0);
		CHECK(bridge_vlan_remove(br, vid) == 0);
	}
	pass(SEC);
	teardown();
}

static void settings_stay_with_the_port(void)
{
	struct stp_port_config cf = { .auto_edge = false,
				      .bpdu_guard = true,
				      .root_guard = true,
				      .p2p = STP_P2P_NO };
	struct stp_member_config m = { 5000, 0, 16, true };
	struct rstp_port_config got;

	setup();
	CHECK(stp_port_set(stp, 3, &cf) == 0); /* does not exist yet */
	CHECK(stp_member_set(stp, 0, 3, &m) == 0);
	CHECK(stp_port_next(stp, 0) == 3 && stp_port_next(stp, 4) == -1);
	CHECK(stp_member_next(stp, 0, 0) == 3);
	CHECK(stp_member_next(stp, 0, 4) == -1);
	stp_set_on(stp, true);
	plug(3);
	for (int i = 0; i < 4; i++) {
		got = port_info(0, 3).config;
		CHECK(!got.auto_edge && got.bpdu_guard && got.root_guard &&
		      !got.point_to_point && got.admin_edge &&
		      got.path_cost == 5000 && got.priority == 16);
		if (i % 2) {
			unplug(3);
			plug(3);
		} else {
			stp_set_on(stp, false);
			stp_set_on(stp, true);
		}
	}
	bridge_vlan_create(br, 7);
	bridge_vlan_add_port(br, 7, 3);
	got = port_info(7, 3).config;
	CHECK(got.bpdu_guard && !got.admin_edge &&
	      got.path_cost == STP_COST_DEFAULT);
	unplug(3);
	CHECK(bridge_port_remove(br, 3) == 0);
	CHECK(stp_port_next(stp, 0) == -1 && stp_member_next(stp, 0, 0) == -1);
	plug(3);
	got = port_info(0, 3).config;
	CHECK(got.auto_edge && !got.bpdu_guard && !got.admin_edge);
	teardown();
}

static void settings_are_checked(void)
{
	struct stp_member_config m = STP_MEMBER_DEFAULT;
	struct stp_port_config cf = STP_PORT_DEFAULT;
	struct rstp_params pa = RSTP_PARAMS_DEFAULT;

	setup();
	CHECK(stp_member_set(stp, 5, 1, &m) == -ENXIO);
	CHECK(stp_member_set(stp, 4094, 1, &m) == -EINVAL);
	CHECK(stp_member_set(stp, 0, N + 1, &m) == -EINVAL);
	CHECK(stp_port_set(stp, N + 1, &cf) == -EINVAL);
	CHECK(stp_set_bonus(stp, 5, 1, 1) == -ENXIO);
	CHECK(stp_set_bonus(stp, 0, N + 1, 1) == -EINVAL);
	CHECK(stp_vlan_set_priority(stp, 5, 1) == -ENXIO);
	m.cost = 0;
	CHECK(stp_member_set(stp, 0, 1, &m) == -EINVAL);
	m.cost = RSTP_COST_MAX + 1;
	CHECK(stp_member_set(stp, 0, 1, &m) == -EINVAL);
	m = STP_MEMBER_DEFAULT;
	m.priority = 8;
	CHECK(stp_member_set(stp, 0, 1, &m) == -EINVAL);
	pa.max_age_s = 40;
	CHECK(stp_set_params(stp, &pa) == -EINVAL);
	CHECK(stp_params(stp).max_age_s == 20);
	CHECK(stp_member_next(stp, 0, 0) == -1);
	teardown();
}

static void a_bonus_makes_the_path_cheaper(void)
{
	setup();
	stp_set_on(stp, true);
	plug(1);
	plug(2);
	CHECK(stp_bonus_port(stp, 0) == -1);
	CHECK(stp_set_bonus(stp, 0, 1, 500) == 0);
	CHECK(stp_set_bonus(stp, 0, 2, 10) == 0);
	CHECK(stp_bonus_port(stp, 0) == 2);
	CHECK(port_info(0, 1).config.path_cost == STP_COST_DEFAULT - 500);
	CHECK(port_info(0, 2).config.path_cost == STP_COST_DEFAULT - 10);
	CHECK(stp_set_bonus(stp, 0, 2, INT32_MAX) == 0);
	CHECK(port_info(0, 2).config.path_cost == 1);
	CHECK(stp_set_bonus(stp, 0, 2, INT32_MIN) == 0);
	CHECK(port_info(0, 2).config.path_cost == RSTP_COST_MAX);
	CHECK(stp_set_bonus(stp, 0, 2, 0) == 0);
	CHECK(port_info(0, 2).config.path_cost == STP_COST_DEFAULT);
	teardown();
}

static void several_clients_on_a_port_are_no_single_neighbour(void)
{
	struct stp_port_config cf = STP_PORT_DEFAULT;

	setup();
	stp_set_on(stp, true);
	plug(1);
	CHECK(port_info(0, 1).config.point_to_point);
	plug_as(1, 1, true);
	CHECK(!port_info(0, 1).config.point_to_point);
	cf.p2p = STP_P2P_YES;
	stp_port_set(stp, 1, &cf);
	CHECK(port_info(0, 1).config.point_to_point);
	cf.p2p = STP_P2P_AUTO;
	stp_port_set(stp, 1, &cf);
	CHECK(!port_info(0, 1).config.point_to_point);
	unplug_from(1, 1);
	CHECK(port_info(0, 1).config.point_to_point && port_info(0, 1).link);
	teardown();
}

static void a_link_is_what_an_endpoint_says(void)
{
	struct fake *f;

	setup();
	stp_set_on(stp, true);
	f = plug_as(0, 1, false);
	CHECK(!port_info(0, 1).link);
	bridge_set_link(&f->ep, true);
	CHECK(port_info(0, 1).link);
	bridge_set_link(&f->ep, false);
	CHECK(!port_info(0, 1).link);
	plug_as(1, 1, true);
	CHECK(port_info(0, 1).link);
	unplug_from(1, 1);
	CHECK(!port_info(0, 1).link);
	teardown();
}

static void guards_are_told_and_forgiven(void)
{
	struct stp_port_config cf = STP_PORT_DEFAULT;
	const struct stp_event *ev;

	setup();
	stp_set_on(stp, true);
	plug(1);
	plug(2);
	cf.bpdu_guard = true;
	stp_port_set(stp, 1, &cf);
	cf.bpdu_guard = false;
	cf.root_guard = true;
	stp_port_set(stp, 2, &cf);
	hear_root(1, -1, 0xf000);
	ev = last_told(STP_BPDU_GUARD);
	CHECK(ev && ev->on && ev->port == 1 && port_info(0, 1).violated);
	hear_root(2, -1, 0x1000);
	ev = last_told(STP_ROOT_GUARD);
	CHECK(ev && ev->on && ev->port == 2 && port_info(0, 2).root_blocked);
	CHECK(info(0).root_port == -1 && state(0, 2) == BRIDGE_DISCARDING);
	unplug(1);
	ev = last_told(STP_BPDU_GUARD);
	CHECK(ev && !ev->on && !port_info(0, 1).violated);
	pass(10 * SEC);
	ev = last_told(STP_ROOT_GUARD);
	CHECK(ev && !ev->on && !port_info(0, 2).root_blocked);
	teardown();
}

static void bpdu_guard_closes_a_port_in_all_its_vlans(void)
{
	struct stp_port_config cf = STP_PORT_DEFAULT;

	setup();
	CHECK(bridge_vlan_create(br, 5) == 0 && bridge_vlan_create(br, 6) == 0);
	plug(1);
	plug(2);
	CHECK(bridge_vlan_add_port(br, 5, 1) == 0);
	stp_set_on(stp, true);
	cf.bpdu_guard = true;
	stp_port_set(stp, 1, &cf);
	hear_root(1, 5, 0xf000);
	CHECK(port_info(5, 1).violated && port_info(0, 1).violated);
	CHECK(!port_info(0, 2).violated);
	CHECK(count_told(STP_BPDU_GUARD) == 1);
	CHECK(last_told(STP_BPDU_GUARD)->vlan == 5);
	CHECK(bridge_vlan_add_port(br, 6, 1) == 0);
	CHECK(port_info(6, 1).violated && state(6, 1) == BRIDGE_DISCARDING);
	pass(40 * SEC);
	CHECK(state(0, 1) == BRIDGE_DISCARDING);

	cf.bpdu_guard = false;
	stp_port_set(stp, 1, &cf);
	CHECK(!port_info(0, 1).violated && !port_info(6, 1).violated);
	CHECK(count_told(STP_BPDU_GUARD) == 2);
	teardown();
}

static void a_hub_has_none(void)
{
	setup();
	stp_set_on(stp, true);
	plug(1);
	plug(2);
	bridge_set_hub(br, true);
	CHECK(!stp_is_on(stp) && stp_set_on(stp, true) == -EBUSY);
	rx(1, ALL, A, -1);
	CHECK(fakes[0][2].frames == 1);
	bridge_set_hub(br, false);
	CHECK(!stp_is_on(stp) && state(0, 1) == BRIDGE_FORWARDING);
	CHECK(stp_set_on(stp, true) == 0 && state(0, 1) == BRIDGE_DISCARDING);
	teardown();
}

static void off_opens_every_port(void)
{
	const struct stp_event *ev;

	setup();
	stp_set_on(stp, true);
	plug(1);
	plug(2);
	hear_root(1, -1, 0x1000);
	CHECK(state(0, 2) == BRIDGE_DISCARDING);
	n_told = 0;
	stp_set_on(stp, false);
	CHECK(state(0, 2) == BRIDGE_FORWARDING && !stp_next(stp));
	ev = last_told(STP_HEARD);
	CHECK(ev && !ev->on && ev->port == 1);
	CHECK(last_told(STP_ROOT) && last_told(STP_ROOT)->port == -1);
	rx(1, ALL, A, -1);
	CHECK(fakes[0][2].frames == 1);
	teardown();
}

static void hellos_are_sent_in_time(void)
{
	struct fake *f;
	int before;

	setup();
	stp_set_on(stp, true);
	f = plug(1);
	pass(10 * SEC);
	before = f->bpdus;
	pass(20 * SEC);
	CHECK(f->bpdus == before + 10);
	CHECK(stp_next(stp) > now && stp_next(stp) <= now + 2 * SEC);
	teardown();
}

static void many_vlans_at_once(void)
{
	uint64_t next;

	setup();
	for (unsigned int i = 1; i <= N; i++)
		plug(i);
	for (unsigned int vid = 1; vid <= 300; vid++) {
		bridge_vlan_create(br, vid);
		for (unsigned int i = 1; i <= N; i++)
			bridge_vlan_add_port(br, vid, i);
		rx(1, ALL, A, (int)vid);
	}
	stp_set_on(stp, true);
	flush();
	for (unsigned int vid = 0; vid <= 300; vid++)
		CHECK(info(vid).n_ports == N);
	pass(10 * SEC);
	CHECK(fakes[0][1].bpdus >= 5 * 301);
	for (unsigned int vid = 0; vid <= 300; vid++)
		CHECK(state(vid, 1 + vid % N) == BRIDGE_FORWARDING);
	next = stp_next(stp);
	CHECK(next > now);
	for (unsigned int i = 1; i <= N; i++)
		unplug(i);
	stp_set_on(stp, false);
	teardown();
}

static void more_ports_than_there_were(void)
{
	setup();
	stp_set_on(stp, true);
	bridge_vlan_create(br, 5);
	CHECK(bridge_set_numports(br, 1000) == 0);
	CHECK(bridge_port_create(br, 999) == 0);
	CHECK(bridge_vlan_add_port(br, 5, 999) == 0);
	CHECK(info(0).n_ports == 1 && info(5).n_ports == 1);
	set_edge(5, 1000);
	CHECK(stp_member_next(stp, 5, 0) == 1000);
	CHECK(bridge_port_remove(br, 999) == 0);
	CHECK(info(0).n_ports == 0 && info(5).n_ports == 0);
	teardown();
}

int main(void)
{
	RUN(off_it_does_nothing);
	RUN(ports_discard_edges_forward_at_once);
	RUN(learning_ports_learn_and_drop);
	RUN(bpdus_have_the_form_of_their_vlan);
	RUN(a_better_root_is_followed);
	RUN(each_vlan_has_its_tree);
	RUN(vlans_that_are_not_defined_follow_vlan_0);
	RUN(a_topology_change_forgets_that_vlan_on_other_ports);
	RUN(it_forgets_vlans_that_are_not_defined);
	RUN(many_topology_changes_at_once_are_one);
	RUN(settings_stay_with_the_port);
	RUN(settings_are_checked);
	RUN(a_bonus_makes_the_path_cheaper);
	RUN(several_clients_on_a_port_are_no_single_neighbour);
	RUN(a_link_is_what_an_endpoint_says);
	RUN(guards_are_told_and_forgiven);
	RUN(bpdu_guard_closes_a_port_in_all_its_vlans);
	RUN(a_hub_has_none);
	RUN(off_opens_every_port);
	RUN(hellos_are_sent_in_time);
	RUN(many_vlans_at_once);
	RUN(more_ports_than_there_were);
	DONE();
}
