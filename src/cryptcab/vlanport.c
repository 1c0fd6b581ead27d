// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/vlanport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "common/log.h"

/* A port whose connection was closed just now is still in use. */
#define AGAIN (20 * LOOP_MS)
#define TRIES 250
#define DRAIN (2 * LOOP_SEC)
#define COMMAND 48
#define PORT_MAX 65535

struct vlanports {
	struct loop *loop;
	struct switchmgmt *mgmt;
	struct list all; /* vlanport.node */
	struct loop_timer enough;
	bool draining;
	uint64_t made[(VLAN_MAX + 64) / 64]; /* VLANs that were created here */
};

enum step {
	CREATE_PORT,
	CREATE_VLAN, /* vids[at] */
	JOIN, /* the same */
	NO_UNTAGGED, /* frames that have no tag go nowhere */
	READY,
	REMOVE_PORT,
	REMOVE_VLAN,
};

struct vlanport {
	struct list node;
	struct vlanports *set;
	vlanport_fn *fn; /* NULL: closed */
	void *ctx;
	enum step step;
	bool asked; /* a command is under way */
	unsigned int life; /* of the connection that made the port */
	int number; /* -1: not made */
	int tries;
	struct loop_timer again;
	char line[COMMAND];
	bool untagged; /* vids[0] is */
	uint32_t at, n;
	uint16_t vids[];
};

static void go(struct vlanport *v);

static void gone(struct vlanport *v)
{
	struct vlanports *set = v->set;

	switchmgmt_forget(set->mgmt, v);
	loop_timer_del(set->loop, &v->again);
	list_del(&v->node);
	free(v);
	if (set->draining && list_empty(&set->all))
		loop_stop(set->loop);
}

static bool was_made(const struct vlanports *set, unsigned int vid)
{
	return set->made[vid / 64] >> vid % 64 & 1;
}

static void tell(struct vlanport *v, int rc)
{
	if (v->fn)
		v->fn(v->ctx, rc, v->line);
}

/* ---- answers ---- */

static void again(struct loop_timer *t)
{
	go(container_of(t, struct vlanport, again));
}

static void port_made(struct vlanport *v, const char *data)
{
	int64_t n;

	/* "Port 0004" */
	if (strncmp(data, "Port ", 5) ||
	    !parse_num(data + 5, 0, PORT_MAX, &n)) {
		if (v->fn)
			tell(v, -EPROTO);
		else
			gone(v);
		return;
	}
	v->number = (int)n;
	v->life = switchmgmt_life(v->set->mgmt);
	v->step = v->n ? CREATE_VLAN : NO_UNTAGGED;
	go(v);
}

static void next_vlan(struct vlanport *v)
{
	v->step = ++v->at < v->n ? CREATE_VLAN
		  : v->untagged	 ? READY
				 : NO_UNTAGGED;
	go(v);
}

static void set_up(struct vlanport *v, int rc, const char *data)
{
	unsigned int vid = v->at < v->n ? v->vids[v->at] : 0;

	if (v->step == CREATE_VLAN && rc == -EEXIST)
		rc = 0;
	else if (v->step == CREATE_VLAN && !rc)
		v->set->made[vid / 64] |= UINT64_C(1) << vid % 64;
	if (rc) {
		tell(v, rc);
		return;
	}
	switch (v->step) {
	case CREATE_PORT:
		port_made(v, data);
		break;
	case CREATE_VLAN:
		v->step = JOIN;
		go(v);
		break;
	case JOIN:
		next_vlan(v);
		break;
	case NO_UNTAGGED:
	case READY:
	case REMOVE_PORT:
	case REMOVE_VLAN:
		v->step = READY;
		go(v);
		break;
	}
}

static void removed(struct vlanport *v, int rc)
{
	unsigned int vid = v->at < v->n ? v->vids[v->at] : 0;

	if (v->step == REMOVE_PORT && rc == -EADDRINUSE && ++v->tries < TRIES) {
		if (loop_timer_set(v->set->loop, &v->again, AGAIN, again))
			gone(v);
		return;
	}
	if (v->step == REMOVE_PORT) {
		if (rc)
			log_warn("unable to remove port %d of the switch: %s",
				 v->number, strerror(-rc));
		v->step = REMOVE_VLAN;
		v->at = 0;
	} else {
		/* In use: by another one of ours, or somebody else. */
		if (!rc)
			v->set->made[vid / 64] &= ~(UINT64_C(1) << vid % 64);
		v->at++;
	}
	go(v);
}

static void answer(void *ctx, int rc, const char *data)
{
	struct vlanport *v = ctx;

	v->asked = false;
	if (v->step >= REMOVE_PORT) {
		removed(v, rc);
		return;
	}
	if (v->fn) {
		set_up(v, rc, data);
		return;
	}
	/* Closed meanwhile: the switch may just have made something. */
	if (!rc && v->step == CREATE_PORT)
		port_made(v, data);
	else if (!rc && v->step == CREATE_VLAN)
		set_up(v, rc, data);
	else
		go(v);
}

/* ---- commands ---- */

/* False: nothing is to be said at this step. */
static bool command(struct vlanport *v)
{
	unsigned int vid = v->at < v->n ? v->vids[v->at] : 0;
	struct strbuf b;

	strbuf_init(&b, v->line, sizeof(v->line));
	switch (v->step) {
	case CREATE_PORT:
		strbuf_add(&b, "port/createauto");
		return true;
	case CREATE_VLAN:
		strbuf_fmt(&b, "vlan/create %u", vid);
		return vid != 0;
	case JOIN:
		if (v->untagged && !v->at)
			strbuf_fmt(&b, "port/setvlan %d %u", v->number, vid);
		else
			strbuf_fmt(&b, "vlan/addport %u %d", vid, v->number);
		return vid != 0;
	case NO_UNTAGGED:
		strbuf_fmt(&b, "port/setvlan %d %d", v->number, VLAN_NONE);
		return true;
	case REMOVE_PORT:
		strbuf_fmt(&b, "port/remove %d", v->number);
		return true;
	case REMOVE_VLAN:
		strbuf_fmt(&b, "vlan/remove %u", vid);
		return vid && was_made(v->set, vid);
	case READY:
		break;
	}
	return false;
}

static void skip(struct vlanport *v)
{
	if (v->step == CREATE_VLAN)
		v->step = JOIN;
	else if (v->step == JOIN)
		v->step = ++v->at < v->n ? CREATE_VLAN
			  : v->untagged	 ? READY
					 : NO_UNTAGGED;
	else
		v->at++;
}

/* What was made of a switch that is gone has gone with it. */
static bool begin_removal(struct vlanport *v)
{
	v->step = REMOVE_PORT;
	v->at = 0;
	return v->number >= 0 && v->life == switchmgmt_life(v->set->mgmt);
}

static void go(struct vlanport *v)
{
	if (!v->fn && v->step < REMOVE_PORT && !begin_removal(v)) {
		gone(v);
		return;
	}
	while (v->step != READY && !command(v)) {
		skip(v);
		if (v->step == REMOVE_VLAN && v->at >= v->n) {
			gone(v);
			return;
		}
	}
	if (v->step == READY) {
		tell(v, v->number);
		return;
	}
	v->asked = !switchmgmt_ask(v->set->mgmt, v->line, answer, v);
	if (v->asked)
		return;
	if (v->fn)
		tell(v, -ENOMEM);
	else
		gone(v);
}

/* ---- begin and end ---- */

bool vlanport_needed(const struct admit_rules *r)
{
	return r->untagged != VLAN_NONE || r->n_tagged;
}

int vlanport_open(struct vlanport **out, struct vlanports *set,
		  const struct admit_rules *r, vlanport_fn *fn, void *ctx)
{
	bool untagged = r->untagged != VLAN_NONE;
	size_t n = (size_t)r->n_tagged + untagged;
	struct vlanport *v = calloc(1, sizeof(*v) + n * sizeof(v->vids[0]));

	if (!v)
		return -ENOMEM;
	v->set = set;
	v->fn = fn;
	v->ctx = ctx;
	v->number = -1;
	v->untagged = untagged;
	if (untagged)
		v->vids[v->n++] = r->untagged;
	for (uint32_t i = 0; i < r->n_tagged; i++)
		v->vids[v->n++] = r->tagged[i];
	(void)str_copy(v->line, sizeof(v->line), "port/createauto");
	if (switchmgmt_ask(set->mgmt, v->line, answer, v)) {
		free(v);
		return -ENOMEM;
	}
	v->asked = true;
	list_add_tail(&set->all, &v->node);
	*out = v;
	return 0;
}

void vlanport_close(struct vlanport *v)
{
	if (!v)
		return;
	v->fn = NULL;
	if (!v->asked)
		go(v);
}

int vlanports_new(struct vlanports **out, struct loop *loop, const char *path)
{
	struct vlanports *set = calloc(1, sizeof(*set));
	int rc = set ? switchmgmt_new(&set->mgmt, loop, path) : -ENOMEM;

	if (rc) {
		free(set);
		return rc;
	}
	set->loop = loop;
	list_init(&set->all);
	*out = set;
	return 0;
}

static void enough(struct loop_timer *t)
{
	loop_stop(container_of(t, struct vlanports, enough)->loop);
}

void vlanports_drain(struct vlanports *set)
{
	if (list_empty(&set->all) ||
	    loop_timer_set(set->loop, &set->enough, DRAIN, enough))
		return;
	set->draining = true;
	(void)loop_run(set->loop);
	set->draining = false;
	loop_timer_del(set->loop, &set->enough);
	if (!list_empty(&set->all))
		log_warn("unable to undo all VLANs at the switch: %s",
			 "no answer in time");
}

void vlanports_free(struct vlanports *set)
{
	if (!set)
		return;
	set->draining = false;
	list_for_each_safe(pos, next, &set->all)
		gone(list_entry(pos, struct vlanport, node));
	switchmgmt_free(set->mgmt);
	free(set);
}
