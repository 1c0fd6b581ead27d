// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about the address table.
 */
#include <errno.h>

#include "switch/cmd.h"

static uint32_t now_s(const struct vswitch *sw)
{
	return (uint32_t)(loop_now(sw->loop) / LOOP_SEC);
}

static int cmd_showinfo(struct mgmt_req *rq, void *ctx)
{
	const struct bridge *br = ((struct vswitch *)ctx)->br;
	struct writer *w = rq->w;

	writer_num(w, "size", "Hash size ", (int64_t)mactab_slots(br->macs), 0);
	writer_line(w);
	writer_num(w, "gc_interval", "GC interval ", br->gc_s, 0);
	writer_text(w, " secs");
	writer_line(w);
	writer_num(w, "expire", "GC expire ", mactab_get_expire(br->macs), 0);
	writer_text(w, " secs");
	writer_line(w);
	writer_num(w, "min_persistence", "Min persistence ",
		   mactab_get_persistence(br->macs), 0);
	writer_text(w, " secs");
	writer_line(w);
	writer_num(w, "entries", NULL, (int64_t)mactab_used(br->macs), 0);
	return 0;
}

static int cmd_setsize(struct mgmt_req *rq, void *ctx)
{
	struct vswitch *sw = ctx;
	size_t want = (size_t)rq->arg[0].num, got;
	int rc = mactab_resize(sw->br->macs, want);

	got = mactab_slots(sw->br->macs);
	if (!rc && got != want)
		log_notice("hash size %zu became %zu: a power of two with room "
			   "for every address",
			   want, got);
	return rc;
}

static int cmd_setgcint(struct mgmt_req *rq, void *ctx)
{
	struct vswitch *sw = ctx;

	sw->br->gc_s = (uint32_t)rq->arg[0].num;
	loop_timer_del(sw->loop, &sw->gc);
	return 0;
}

static int cmd_setexpire(struct mgmt_req *rq, void *ctx)
{
	struct vswitch *sw = ctx;

	mactab_set_expire(sw->br->macs, (uint32_t)rq->arg[0].num);
	loop_timer_del(sw->loop, &sw->gc);
	return 0;
}

static int cmd_setminper(struct mgmt_req *rq, void *ctx)
{
	struct vswitch *sw = ctx;

	mactab_set_persistence(sw->br->macs, (uint32_t)rq->arg[0].num);
	return 0;
}

static void show(struct writer *w, const struct mactab_entry *e, uint32_t now)
{
	char addr[ETHER_STRLEN];

	writer_open(w, NULL);
	writer_num(w, "hash", "Hash: ", (int64_t)e->slot, 4);
	writer_str(w, "mac", " Addr: ", ether_str(addr, mactab_addr(e->key)),
		   0);
	writer_num(w, "vlan", " VLAN ", mactab_vlan(e->key), 4);
	writer_num(w, "port", " to port: ", e->port, 3);
	writer_num(w, "age", "  age ", (int64_t)(now - e->seen_s), 0);
	writer_text(w, " secs");
	writer_bool(w, "sticky", e->sticky, NULL, NULL);
	writer_line(w);
	writer_close(w);
}

/* more[]: the slot. A table that is resized meanwhile has others: entries may
 * be missed then, or come twice. */
static int cmd_print(struct mgmt_req *rq, void *ctx)
{
	const struct vswitch *sw = ctx;
	struct mactab_entry e;
	uint32_t now = now_s(sw);

	if (!rq->again)
		writer_list(rq->w, "entries");
	for (size_t i = (size_t)rq->more[0];
	     mactab_next(sw->br->macs, i, now, &e); i = e.slot + 1) {
		if (mgmt_pause(rq)) {
			rq->more[0] = e.slot;
			return MGMT_MORE;
		}
		show(rq->w, &e, now);
	}
	writer_close(rq->w);
	return 0;
}

static int cmd_find(struct mgmt_req *rq, void *ctx)
{
	const struct vswitch *sw = ctx;
	unsigned int vlan = rq->argc > 1 ? (unsigned int)rq->arg[1].num : 0;
	uint32_t now = now_s(sw);
	struct mactab_entry e;
	uint64_t addr;

	if (!ether_parse(rq->arg[0].str, &addr))
		return -EINVAL;
	if (!mactab_get(sw->br->macs, mactab_key(vlan, addr), now, &e))
		return -ENODEV;
	writer_list(rq->w, "entries");
	show(rq->w, &e, now);
	writer_close(rq->w);
	return 0;
}

/* clang-format off */
static const struct mgmt_cmd hash_cmds[] = {
	{ "hash", "============", "HASH TABLE MENU", NULL, false },
	{ "hash/showinfo", "", "show hash info", cmd_showinfo, true },
	{ "hash/setsize <slots>", "N", "change hash size", cmd_setsize, false },
	{ "hash/setgcint <seconds>", "N", "change garbage collector interval", cmd_setgcint, false },
	{ "hash/setexpire <seconds>", "N", "change hash entries expire time", cmd_setexpire, false },
	{ "hash/setminper <seconds>", "N", "minimum persistence time", cmd_setminper, false },
	{ "hash/print", "", "print the hash table", cmd_print, true },
	{ "hash/find <mac> [<anyvlan>]", "MAC [VLAN]", "MAC lookup", cmd_find, true },
};
/* clang-format on */
const struct mgmt_table hash_table = { hash_cmds, ARRAY_SIZE(hash_cmds) };
