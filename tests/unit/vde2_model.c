// SPDX-License-Identifier: GPL-2.0-or-later
#include "vde2_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/ether.h"

#define PORTS 16
#define HELLO (4 * UINT64_C(1000000000))
#define COST 20000000u
#define ROLE_MASK 0x0c
#define ROLE_ROOT 0x04
#define FLAGS_AT 21

struct vde2 {
	const struct rstp_ops *ops;
	void *ctx;
	uint64_t id;
	uint64_t root, sender;
	uint32_t cost;
	uint16_t sender_port;
	unsigned int root_port; /* 0: none, it is the root */
	uint64_t heard;
	uint64_t hello_at;
	unsigned int hellos;
	unsigned int window; /* of the two in which BPDUs were heard */
	bool up[PORTS], backup[PORTS], heard_in[2][PORTS];
};

struct vde2 *vde2_new(const struct rstp_ops *ops, void *ctx, uint64_t id,
		      uint64_t now)
{
	struct vde2 *v = calloc(1, sizeof(*v));

	v->ops = ops;
	v->ctx = ctx;
	v->id = v->root = id;
	v->sender = UINT64_MAX;
	v->hello_at = now + HELLO;
	return v;
}

void vde2_free(struct vde2 *v)
{
	free(v);
}

static void set_backup(struct vde2 *v, unsigned int p, bool backup)
{
	v->backup[p] = backup;
	v->ops->set_state(v->ctx, p,
			  backup ? RSTP_DISCARDING : RSTP_FORWARDING);
}

static bool active(const struct vde2 *v, unsigned int p)
{
	return v->heard_in[0][p] || v->heard_in[1][p];
}

static void be_root(struct vde2 *v)
{
	v->root = v->id;
	v->cost = 0;
	v->sender = UINT64_MAX;
	v->sender_port = 0;
	v->root_port = 0;
	for (unsigned int p = 0; p < PORTS; p++)
		if (v->backup[p])
			set_backup(v, p, false);
}

static void say(struct vde2 *v, unsigned int p, uint8_t flags)
{
	uint8_t frame[RSTP_FRAME_MAX];
	struct rstp_bpdu b = {
		.kind = RSTP_RST,
		.dialect = true,
		.role = v->root_port == p ? RSTP_ROOT : RSTP_DESIGNATED,
		.flags = flags,
		.root = v->root,
		.cost = v->cost,
		.bridge = v->id,
		.port = (uint16_t)((0x80 | p >> 4) << 8 | (p & 0xff)),
		.times = { 0, 40 * 256, 4 * 256, 0 },
	};

	if (!v->up[p])
		return;
	if (v->backup[p]) {
		b.role = RSTP_ALTERNATE;
		b.flags |= RSTP_PROPOSAL;
	} else {
		b.flags |= RSTP_LEARNING_FLAG | RSTP_FORWARDING_FLAG;
	}
	rstp_bpdu_write(&b, v->id & UINT64_C(0xffffffffffff), frame);
	v->ops->transmit(v->ctx, p, frame, sizeof(frame));
}

static void change(struct vde2 *v, unsigned int from)
{
	for (unsigned int p = 1; p < PORTS; p++) {
		v->ops->flush(v->ctx, p);
		if (p != from && v->up[p] && !v->backup[p] && active(v, p))
			say(v, p, RSTP_TC);
	}
}

void vde2_link(struct vde2 *v, unsigned int p, bool up, uint64_t now)
{
	v->up[p] = up;
	v->backup[p] = v->heard_in[0][p] = v->heard_in[1][p] = false;
	v->ops->set_state(v->ctx, p, up ? RSTP_FORWARDING : RSTP_DISCARDING);
	if (up)
		say(v, p, 0);
	else if (p == v->root_port)
		be_root(v);
	change(v, p);
}

/* What a frame claims, the way through its port. */
static void read_claim(const uint8_t *frame, struct vde2 *c)
{
	struct rstp_bpdu b;

	*c = (struct vde2){ .root = UINT64_MAX };
	if (!rstp_bpdu_parse(&b, frame, RSTP_FRAME_MAX))
		return;
	c->root = b.root;
	c->cost = b.cost + COST;
	c->sender = b.bridge;
	c->sender_port = b.port;
}

static int compare(const struct vde2 *a, const struct vde2 *b)
{
	if (a->root != b->root)
		return a->root < b->root ? -1 : 1;
	if (a->cost != b->cost)
		return a->cost < b->cost ? -1 : 1;
	if (a->sender != b->sender)
		return a->sender < b->sender ? -1 : 1;
	return (a->sender_port > b->sender_port) -
	       (a->sender_port < b->sender_port);
}

static void follow(struct vde2 *v, unsigned int port, const struct vde2 *claim)
{
	v->root = claim->root;
	v->cost = claim->cost;
	v->sender = claim->sender;
	v->sender_port = claim->sender_port;
	v->root_port = port;
	for (unsigned int p = 1; p < PORTS; p++) {
		if (p == port || !v->up[p] || v->backup[p] || !active(v, p))
			continue;
		set_backup(v, p, true);
		say(v, p, 0);
	}
	set_backup(v, port, false);
	say(v, port, RSTP_AGREEMENT);
	change(v, port);
}

void vde2_receive(struct vde2 *v, unsigned int port, const uint8_t *frame,
		  size_t len, uint64_t now)
{
	struct vde2 claim;
	bool root;
	int cmp;

	v->heard_in[v->window][port] = true;
	if (len < 51 || frame[19] != 2 || frame[20] != 2)
		return;
	if (frame[FLAGS_AT] & RSTP_TC)
		change(v, port);
	read_claim(frame, &claim);
	root = (frame[FLAGS_AT] & ROLE_MASK) == ROLE_ROOT;
	cmp = compare(&claim, v);
	if (cmp == 0) {
		v->heard = now;
	} else if (cmp < 0 || port == v->root_port) {
		v->heard = now;
		follow(v, port, &claim);
	} else if (claim.root != v->root) {
		say(v, port, 0);
	} else if (root == v->backup[port]) {
		set_backup(v, port, !root);
		change(v, port);
	}
}

uint64_t vde2_next(const struct vde2 *v)
{
	return v->hello_at;
}

void vde2_tick(struct vde2 *v, uint64_t now)
{
	v->hello_at = now + HELLO;
	if (v->root_port && now - v->heard > 3 * HELLO)
		be_root(v);
	for (unsigned int p = 1; p < PORTS; p++)
		say(v, p, RSTP_AGREEMENT);
	if (++v->hellos % 4)
		return;
	v->window = !v->window;
	for (unsigned int p = 1; p < PORTS; p++) {
		if (v->backup[p] && !active(v, p))
			set_backup(v, p, false);
		v->heard_in[v->window][p] = false;
	}
}

void vde2_root(const struct vde2 *v, uint64_t *root, uint32_t *cost,
	       unsigned int *port)
{
	*root = v->root;
	*cost = v->cost;
	*port = v->root_port;
}
